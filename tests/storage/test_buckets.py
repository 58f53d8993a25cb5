"""Files of buckets: copied once, compared, and refused in one sentence."""

import sys

import fsspec
import pytest

from temporal_jax import storage
from tests.support.bucket import bucket as bucket


def _all(names):
  return names


def test_a_file_is_copied_again_only_when_it_changes(bucket, tmp_path):
  bucket("gs://b/lists/a.csv", b"one")
  bucket("gs://b/lists/other.csv", b"not asked for")
  first = storage.fetch_file("gs://b/lists/a.csv")
  assert first.read_bytes() == b"one"
  assert first.is_relative_to(tmp_path / "caches/temporal_jax/buckets/gs/b/lists")
  time = first.stat().st_mtime_ns
  assert storage.fetch_file("gs://b/lists/a.csv") == first
  assert first.stat().st_mtime_ns == time
  bucket("gs://b/lists/a.csv", b"two")
  second = storage.fetch_file("gs://b/lists/a.csv")
  assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")
  copies = [file.name for file in tmp_path.rglob("*") if file.is_file()]
  assert copies == ["a.csv", "a.csv"]


def test_digests_of_a_folder_are_compared(bucket, tmp_path):
  (tmp_path / "net").mkdir()
  (tmp_path / "net/a").write_bytes(b"right")
  storage.write_digests(tmp_path / "net")
  for name in ("a", storage.DIGESTS):
    bucket(f"gs://b/net/{name}", (tmp_path / "net" / name).read_bytes())
  copy = storage.fetch_folder("gs://b/net", _all)
  assert sorted(file.name for file in copy.iterdir()) == ["a", storage.DIGESTS]
  bucket("gs://b/net/a", b"wrong")
  with pytest.raises(ValueError, match="gs://b/net/a is changed since it was written"):
    storage.fetch_folder("gs://b/net", _all)
  assert [*copy.parent.iterdir()] == [copy]  # Nothing of it stays.


def test_marks_of_folders_are_no_files(bucket, monkeypatch):
  bucket("gs://b/net/a", b"1")
  client = fsspec.get_filesystem_class("gs")
  find = client.find

  def with_mark(self, path, **options):
    return {f"{path}/": {"type": "directory"}} | find(self, path, **options)

  monkeypatch.setattr(client, "find", with_mark)
  copy = storage.fetch_folder("gs://b/net", _all)
  assert [file.name for file in copy.iterdir()] == ["a"]


def test_what_is_not_there_is_one_sentence(bucket):
  bucket("gs://b/net/a", b"")
  for fetch in (storage.fetch_file, lambda name: storage.fetch_folder(name, _all)):
    for address in ("gs://b/nothing/c", "gs://c/net"):
      with pytest.raises(FileNotFoundError, match=f"{address}: the bucket has no such"):
        fetch(address)
  with pytest.raises(FileNotFoundError, match="gs://b/net: the bucket has no"):
    storage.fetch_file("gs://b/net")  # A folder.
  for address in ("gs://b", "gs://b//a", "gs://b/../a", "gs://", "s3:///a/b"):
    with pytest.raises(ValueError, match="must have the form gs://bucket/path"):
      storage.fetch_folder(address, _all)


def test_a_missing_client_and_its_errors_are_one_sentence(bucket, monkeypatch):
  bucket("gs://b/a/1", b"")
  monkeypatch.setitem(sys.modules, "s3fs", None)
  with pytest.raises(ImportError, match=r"s3://b/a needs s3fs: run .*'\.\[s3\]'"):
    storage.fetch_folder("s3://b/a", _all)

  def refuse(*_, **__):
    raise RuntimeError("no credentials.\nTry again.")

  monkeypatch.setattr(fsspec.get_filesystem_class("gs"), "get_file", refuse)
  with pytest.raises(OSError, match="gs://b/a cannot be read: RuntimeError: no cred"):
    storage.fetch_folder("gs://b/a", _all)


@pytest.mark.parametrize("path", ["gs://b/x", "s3://b/x", "gs:/b/x"])
def test_nothing_is_written_to_a_bucket(path, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  with (
    pytest.raises(ValueError, match=r"the folder (gs|s3)://b/x must be on this"),
    storage.whole_folder(path),
  ):
    pass
  with pytest.raises(ValueError, match="mount the bucket"):
    storage.write_text(path, "")
  assert [*tmp_path.iterdir()] == []
