"""Downloads from a server on this machine, good and bad."""

import errno
import json
import pathlib
import shutil

import huggingface_hub
import pytest
from huggingface_hub import constants, file_download

from temporal_jax import hub
from temporal_jax.hub import client, download
from tests.support.hub_server import git_sha1, refused

_WEIGHTS = bytes(range(256)) * 40
_OWN = {
  "README.md": b"# a card",
  "model.json": b"{}",
  "model.safetensors": _WEIGHTS,
  "sha256sums.txt": b"sums",
  "optimizer.bin": b"0",
}
_FOREIGN = {
  "config.json": b'{"model_type": "vit"}',
  "preprocessor_config.json": b"{}",
  "video_preprocessor_config.json": b"{}",
  "model.safetensors": _WEIGHTS,
  "pytorch_model.bin": b"a pickle",
  "tf_model.h5": b"0",
}


def _index(*shards):
  places = {f"t{number}": shard for number, shard in enumerate(shards)}
  return json.dumps({"weight_map": places}).encode()


def _files(folder):
  return {p.name for p in folder.rglob("*") if p.is_file() or p.is_symlink()}


def test_only_the_files_of_a_network_are_downloaded(server):
  commit = server.add("org/own", _OWN)
  found = hub.fetch("hf://org/own")
  assert found.is_own
  assert str(found.address) == f"hf://org/own@{commit}"
  assert _files(found.path) == {"model.json", "model.safetensors", "sha256sums.txt"}
  assert (found.path / "model.safetensors").read_bytes() == _WEIGHTS
  assert found.path.name == commit


def test_what_is_there_is_not_downloaded_again(server):
  server.add("org/own", _OWN)
  first = hub.fetch("hf://org/own")
  before = len(server.downloads())
  assert hub.fetch("hf://org/own") == first
  assert len(server.downloads()) == before


def test_a_folder_of_an_older_version_is_a_network(server):
  old = {"model.json": b"{}", "variables/d/1": b"1", "variables/a": b"2", "x": b""}
  server.add("org/old", old)
  found = hub.fetch("hf://org/old")
  assert found.is_own
  assert (found.path / "variables" / "d" / "1").read_bytes() == b"1"
  assert _files(found.path) == {"model.json", "1", "a"}


def test_safetensors_come_before_pickles(server):
  server.add("org/foreign", _FOREIGN)
  found = hub.fetch("hf://org/foreign")
  assert not found.is_own
  assert found.path.is_dir()
  pixels = {"preprocessor_config.json", "video_preprocessor_config.json"}
  assert _files(found.path) == {"model.safetensors", "config.json", *pixels}


def test_a_file_may_be_named(server):
  files = {"clip/ViT-B.pt": b"1", "clip/ViT-L.pt": b"2", "clip/config.json": b"{}"}
  server.add("org/clip", files)
  words = refused("hf://org/clip", "2 files of weights, clip/ViT-B.pt, clip/ViT-L.pt")
  assert "hf://org/clip/clip/ViT-B.pt" in words
  found = hub.fetch("hf://org/clip/clip/ViT-L.pt")
  assert found.path.read_bytes() == b"2"
  assert (found.path.parent / "config.json").exists()
  assert not (found.path.parent / "ViT-B.pt").exists()
  refused("hf://org/clip/nowhere.pt", "no such file; the repository has clip/ViT-B")


def test_the_only_file_of_weights_is_taken(server):
  server.add("org/one", {"best.pth": b"1", "optimizer.pth": b"2", "README.md": b""})
  found = hub.fetch("hf://org/one")
  assert found.path.name == "best.pth"


def test_a_revision_is_a_branch_or_a_commit(server):
  old = server.add("org/own", _OWN)
  new = server.add("org/own", {**_OWN, "model.json": b"{ }"})
  server.repositories["org/own"].branches["refs/pr/1"] = old
  for revision, commit in (
    ("main", new),
    (old, old),
    (new, new),
    ("refs/pr/1", old),
  ):
    found = hub.fetch(f"hf://org/own@{revision}")
    assert found.address.revision == found.path.name == commit
  refused("hf://org/own@v9", "no revision 'v9', or has it no more")


def test_a_repository_that_moved_is_found(server):
  server.add("new/name", _OWN)
  server.add("old/name", {})
  server.repositories["old/name"].moved_to = "new/name"
  assert hub.fetch("hf://old/name").is_own


def test_a_repository_that_is_not_there(server):
  words = refused("hf://org/nowhere", "there is no such repository")
  assert "hf auth login" in words


@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_repository_names_the_page_of_its_licence(server, status):
  server.add("org/gated", _FOREIGN)
  server.repositories["org/gated"].gated = status
  words = refused("hf://org/gated", "is gated: accept its licence on")
  assert f"{server.url}/org/gated" in words


def test_a_repository_without_weights(server):
  server.add("org/empty", {"README.md": b"", "tokenizer.json": b"{}"})
  refused("hf://org/empty", "has no weights, only README.md, tokenizer.json")


def test_shards_are_downloaded_with_their_index(server):
  shards = ("model-1-of-2.safetensors", "model-2-of-2.safetensors")
  files = {"model.safetensors.index.json": _index(*shards), "x.safetensors": b""}
  server.add("org/shards", {**files, **dict.fromkeys(shards, _WEIGHTS)})
  found = hub.fetch("hf://org/shards")
  assert _files(found.path) == {"model.safetensors.index.json", *shards}


@pytest.mark.parametrize("inside", ["", "/model.safetensors.index.json"])
def test_a_folder_of_a_repository_may_be_named(server, inside):
  shards = ("model-1-of-2.safetensors", "model-2-of-2.safetensors")
  files = {"model.safetensors.index.json": _index(*shards), "config.json": b"{}"}
  files |= dict.fromkeys(shards, _WEIGHTS)
  files = {f"sub/deep/{name}": content for name, content in files.items()}
  server.add("org/shards", {**files, "model.safetensors": b"0"})
  found = hub.fetch(f"hf://org/shards/sub/deep{inside}")
  folder = found.path.parent if inside else found.path
  assert folder.name == "deep"
  assert _files(folder) == {pathlib.PurePosixPath(name).name for name in files}
  assert not (folder.parents[1] / "model.safetensors").exists()


def test_a_network_of_this_library_may_be_in_a_folder(server):
  server.add("org/own", {f"best/{name}": content for name, content in _OWN.items()})
  found = hub.fetch("hf://org/own/best")
  assert found.is_own
  assert found.path.name == "best"
  server.add("org/two", {"a/x.npz": b"", "a/y.npz": b"", "b/README.md": b""})
  words = refused("hf://org/two/a", "the folder has 2 files of weights")
  assert "hf://org/two/a/x.npz" in words
  refused("hf://org/two/b", "the folder has no weights, only README.md")


def test_a_missing_shard_is_named_before_others_are_downloaded(server):
  shards = ("model-1-of-2.safetensors", "model-2-of-2.safetensors")
  files = {"model.safetensors.index.json": _index(*shards), shards[0]: _WEIGHTS}
  server.add("org/shards", files)
  refused("hf://org/shards", f"lists 2 files, and the repository lacks {shards[1]}")
  assert not [r for r in server.downloads() if "/cdn/" in r]


@pytest.mark.parametrize("index", [b"[", b"[]", b'{"weight_map": {"a": 1}}'])
def test_a_damaged_index_is_named(server, index):
  server.add("org/shards", {"pytorch_model.bin.index.json": index})
  refused("hf://org/shards", 'must hold an object "weight_map"')


def test_a_download_that_breaks_off_goes_on(server, monkeypatch):
  monkeypatch.setattr("time.sleep", lambda seconds: None)
  server.add("org/weights", {"model.safetensors": _WEIGHTS})
  server.cut = [3000, 500]
  found = hub.fetch("hf://org/weights")
  assert (found.path / "model.safetensors").read_bytes() == _WEIGHTS
  assert len([r for r in server.downloads() if "/cdn/" in r]) == 3


def test_nothing_of_a_download_that_ends_too_early_is_used(server, monkeypatch):
  monkeypatch.setattr("time.sleep", lambda seconds: None)
  server.add("org/weights", {"model.safetensors": _WEIGHTS})
  server.cut = [100] + [0] * 20
  refused("hf://org/weights", "the download of model.safetensors from .* broke off")
  cache = pathlib.Path(constants.HF_HUB_CACHE)
  assert not [p for p in cache.rglob("blobs/*")]
  server.cut = []
  hub.fetch("hf://org/weights")


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_a_file_with_another_digest_is_removed(server, name):
  server.add("org/own", {**_OWN, name: _WEIGHTS})
  server.corrupted = True
  refused("hf://org/own", f"model.json has another digest|{name} has another digest")
  cache = pathlib.Path(constants.HF_HUB_CACHE)
  assert not [p for p in cache.rglob("blobs/*") if p.stat().st_size == len(_WEIGHTS)]
  server.corrupted = False
  assert (hub.fetch("hf://org/own").path / name).read_bytes() == _WEIGHTS


def test_a_cache_without_links_compares_digests(server, monkeypatch):
  monkeypatch.setattr(file_download, "are_symlinks_supported", lambda folder: False)
  server.add("org/weights", {"model.safetensors": _WEIGHTS})
  server.corrupted = True
  refused("hf://org/weights", "model.safetensors has another digest")
  server.corrupted = False
  path = hub.fetch("hf://org/weights").path / "model.safetensors"
  assert not path.is_symlink()
  assert path.read_bytes() == _WEIGHTS


def test_a_file_that_was_damaged_in_the_cache_is_noticed(server):
  server.add("org/own", _OWN)
  path = hub.fetch("hf://org/own").path / "model.safetensors"
  path.resolve().write_bytes(_WEIGHTS[:-1])
  refused("hf://org/own", "model.safetensors has another digest")
  assert (hub.fetch("hf://org/own").path / path.name).read_bytes() == _WEIGHTS


def test_the_digests_are_those_of_the_server():
  # `git hash-object` of an empty file, as git's own tests have it.
  assert git_sha1(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def test_no_space_is_named_before_the_download(server, monkeypatch):
  server.add("org/own", _OWN)
  usage = shutil._ntuple_diskusage(1000, 990, 10)
  monkeypatch.setattr(download.shutil, "disk_usage", lambda path: usage)
  refused("hf://org/own", r"GB are needed, and 0\.00 GB are free in .*HF_HOME")
  assert not server.downloads()


def test_a_disk_that_fills_meanwhile_is_named(server, monkeypatch):
  server.add("org/own", _OWN)

  def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")

  monkeypatch.setattr(huggingface_hub, "hf_hub_download", full)
  refused("hf://org/own", "no space is left in")


@pytest.mark.parametrize("how", ["offline", "down", "gone"])
def test_an_earlier_download_serves_without_the_hub(server, monkeypatch, how):
  server.add("org/own", _OWN)
  server.add("org/foreign", _FOREIGN)
  first = [hub.fetch(f"hf://org/{name}") for name in ("own", "foreign")]
  if how == "offline":
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
  elif how == "down":
    server.status = 503
  else:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
  assert [hub.fetch(f"hf://org/{name}") for name in ("own", "foreign")] == first
  assert hub.fetch(str(first[0].address)) == first[0]
  refused("hf://org/new", "is set, and it is not in|cannot be reached")


def test_offline_a_part_of_the_shards_is_not_enough(server, monkeypatch):
  shards = ("model-1-of-2.safetensors", "model-2-of-2.safetensors")
  files = {"model.safetensors.index.json": _index(*shards)}
  server.add("org/shards", {**files, **dict.fromkeys(shards, _WEIGHTS)})
  (hub.fetch("hf://org/shards").path / shards[1]).unlink()
  monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
  refused("hf://org/shards", f"lists 2 files, and this machine lacks {shards[1]}")


def test_the_extra_is_named(monkeypatch):
  monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
  with pytest.raises(ImportError, match=r"pip install '\.\[hub\]'"):
    hub.fetch("hf://org/name")


def test_errors_that_are_no_ones_fault_are_not_hidden():
  with pytest.raises(ZeroDivisionError), client.naming(hub.Address("org/name")):
    _ = 1 / 0
