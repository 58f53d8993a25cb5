"""A bucket gs:// in memory, in place of fsspec's client for it."""

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem


class Bucket(MemoryFileSystem):
  """Files in memory by addresses gs://."""

  protocol = "gs"

  @classmethod
  def _strip_protocol(cls, path):
    return "/" + path.removeprefix("gs://").strip("/")


@pytest.fixture
def bucket(monkeypatch, tmp_path):
  """Returns a function that writes a file of an address gs://bucket/path."""
  fsspec.register_implementation("gs", Bucket, clobber=True)
  monkeypatch.setattr(Bucket, "store", {})
  monkeypatch.setattr(Bucket, "pseudo_dirs", [""])
  monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
  return lambda address, content: Bucket().pipe_file(address, content)
