"""Uploads to a server on this machine."""

import pytest
from huggingface_hub import constants

from temporal_jax import hub

# The client's own call of its HTTP library.
pytestmark = pytest.mark.filterwarnings("ignore:Use .content=:DeprecationWarning")


@pytest.fixture
def folder(tmp_path):
  folder = tmp_path / "folder"
  folder.mkdir()
  (folder / "model.json").write_text("{}")
  (folder / "model.safetensors").write_bytes(b"12345")
  (folder / "README.md").write_text("---\nlicense: mit\n---\n")
  return folder


def test_a_folder_becomes_a_repository_in_one_commit(server, folder):
  address = hub.upload(folder, "hf://org/new", message="first")
  repository = server.repositories["org/new"]
  assert address == f"hf://org/new@{repository.branches['main']}"
  assert len(repository.commits) == 2  # The first is the hub's own.
  files = repository.files("main")
  assert files["model.safetensors"] == b"12345"
  assert {*files} - {".gitattributes"} == {p.name for p in folder.iterdir()}
  assert hub.fetch(address).is_own


def test_a_second_upload_adds_a_commit(server, folder):
  first = hub.upload(folder, "hf://org/new", message="first")
  (folder / "model.safetensors").write_bytes(b"6789")
  second = hub.upload(folder, "hf://org/new", message="second")
  assert first != second
  found = {a: hub.fetch(a).path / "model.safetensors" for a in (first, second)}
  assert [path.read_bytes() for path in found.values()] == [b"12345", b"6789"]


def test_a_wrong_token_is_named(server, folder, monkeypatch):
  monkeypatch.setenv("HF_TOKEN", "hf_other")
  with pytest.raises(hub.HubError, match=r"hf://org/new: .*HF_TOKEN"):
    hub.upload(folder, "hf://org/new", message="first")
  assert "org/new" not in server.repositories


def test_without_the_hub_nothing_is_uploaded(server, folder, monkeypatch):
  monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
  with pytest.raises(hub.HubError, match="cannot be reached"):
    hub.upload(folder, "hf://org/new", message="first")


def test_a_file_is_no_repository(server, folder):
  with pytest.raises(ValueError, match="must be a repository, not a file in one"):
    hub.upload(folder, "hf://org/new/a.pt", message="first")
