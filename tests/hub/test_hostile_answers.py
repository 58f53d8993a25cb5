"""Answers that are not the hub's, caches that cannot be used."""

import json
import pathlib

import filelock
import pytest
from huggingface_hub import constants

from temporal_jax import hub
from tests.support.hub_server import refused

_WEIGHTS = b"0123456789" * 40


def _cached():
  cache = pathlib.Path(constants.HF_HUB_CACHE)
  return [path for path in cache.rglob("*") if path.is_file() and _is_content(path)]


def _is_content(path):
  return "blobs" in path.parts or "snapshots" in path.parts


@pytest.mark.parametrize(
  "etag", ["../../../../outside", "..", "", "0", "a" * 31, "a" * 129, "a" * 40 + "/b"]
)
def test_an_etag_that_is_no_name_of_a_file_is_refused(server, tmp_path, etag):
  server.add("org/net", {"model.safetensors": _WEIGHTS})
  server.headers = {"ETag": f'"{etag}"', "X-Linked-Etag": f'"{etag}"'}
  words = refused("hf://org/net", "model.safetensors has the ETag .* 32 to 128")
  assert not _cached(), words
  assert not [*tmp_path.rglob("outside*")]
  server.headers = {}
  assert (hub.fetch("hf://org/net").path / "model.safetensors").exists()


def test_an_etag_of_another_kind_is_taken(server):
  server.add("org/net", {"model.safetensors": _WEIGHTS})
  server.headers = {"X-Linked-Etag": '"0123456789abcdef0123456789abcdef-12"'}
  path = hub.fetch("hf://org/net").path / "model.safetensors"
  assert path.read_bytes() == _WEIGHTS


@pytest.mark.parametrize("commit", ["1" * 40, "", "../up"])
def test_a_file_of_another_commit_is_refused(server, commit):
  server.add("org/net", {"model.safetensors": _WEIGHTS})
  server.headers = {"X-Repo-Commit": commit}
  refused("hf://org/net", "the listing is of commit .*, and model.safetensors of")
  assert not _cached()


@pytest.mark.parametrize(
  "answer",
  [
    b"<html>log in</html>",
    b"",
    b"[]",
    b"3",
    b"{}",
    b"\xff\xfe",
    {"id": "org/net"},
    {"sha": None},
    {"sha": 7},
    {"sha": "main"},
    {"sha": "../../x"},
    {"siblings": 3},
    {"siblings": [3]},
    {"siblings": [{"size": 1}]},
    {"siblings": [{"rfilename": 3}]},
    {"siblings": [{"rfilename": "../model.safetensors"}]},
    {"siblings": [{"rfilename": "/model.safetensors"}]},
    {"siblings": [{"rfilename": "a\\model.safetensors"}]},
    {"siblings": [{"rfilename": "model.safetensors", "size": "big"}]},
    {"siblings": [{"rfilename": "model.safetensors", "size": -1}]},
    {"siblings": [{"rfilename": "model.safetensors", "lfs": 3}]},
    {"siblings": [{"rfilename": "model.safetensors", "blobId": 3}]},
  ],
)
def test_a_listing_that_is_not_the_hubs_is_refused(server, answer):
  commit = server.add("org/net", {"model.safetensors": _WEIGHTS})
  if isinstance(answer, dict):
    whole = {} if answer == {"id": "org/net"} else {"id": "org/net", "sha": commit}
    answer = json.dumps({**whole, **answer}).encode()
  server.listing = answer
  refused("hf://org/net", "is not the hub's|the repository lists|must have the hash")
  assert not _cached()


@pytest.mark.parametrize("status", [400, 404, 408, 429, 500, 503])
def test_an_error_of_the_server_is_one_sentence(server, status):
  server.status = status
  refused("hf://org/net", "status|no such repository")


def test_too_many_requests_leave_an_earlier_download(server, caplog):
  server.add("org/net", {"model.safetensors": _WEIGHTS})
  first = hub.fetch("hf://org/net")
  server.status = 429
  assert hub.fetch("hf://org/net") == first
  assert "(status 429 of" in caplog.text


@pytest.mark.parametrize("places", [{}, {"a": "../x"}, {"a": "/etc/passwd"}, {"a": ""}])
def test_an_index_without_files_of_its_folder_is_refused(server, places):
  index = json.dumps({"weight_map": places}).encode()
  server.add("org/net", {"model.safetensors.index.json": index})
  refused("hf://org/net", "model.safetensors.index.json (must hold|lists)")


def test_what_a_killed_download_left_is_removed(server):
  server.add("org/net", {"model.safetensors": _WEIGHTS})
  blob = (hub.fetch("hf://org/net").path / "model.safetensors").resolve()
  cache = pathlib.Path(constants.HF_HUB_CACHE)
  left = blob.with_name(f"{blob.name}.12345678.incomplete")
  used = blob.with_name(f"{'b' * 64}.12345678.incomplete")
  for path in (left, used):
    path.write_bytes(b"half")
  # As a download in another process locks it.
  with filelock.FileLock(cache / ".locks" / "models--org--net" / f"{'b' * 64}.lock"):
    hub.fetch("hf://org/net")
    assert not left.exists()
    assert used.exists()
  hub.fetch("hf://org/net")
  assert not used.exists()
  assert blob.read_bytes() == _WEIGHTS


@pytest.mark.parametrize("kind", ["a file", "a link to itself"])
def test_a_cache_that_cannot_be_is_named(server, tmp_path, monkeypatch, kind):
  server.add("org/net", {"model.safetensors": _WEIGHTS})
  place = tmp_path / "place"
  if kind == "a file":
    place.write_text("")
  else:
    place.symlink_to(place)
  monkeypatch.setattr(constants, "HF_HUB_CACHE", str(place / "hub"))
  words = refused("hf://org/net", "in the cache")
  assert "HF_HOME names another folder" in words


def test_a_name_that_is_too_long_is_one_sentence(server):
  name = "a" * 300 + ".safetensors"
  server.add("org/net", {name: _WEIGHTS})
  refused("hf://org/net", "too long")


@pytest.mark.parametrize("token", ["hf_ä", "hf_a\nb", "hf_\x00"])
def test_a_token_that_is_none_is_not_shown(server, monkeypatch, token):
  server.add("org/net", {"model.safetensors": _WEIGHTS})
  monkeypatch.setattr("huggingface_hub.get_token", lambda: token)
  words = refused("hf://org/net", "the token, of HF_TOKEN or `hf auth login`")
  assert token not in words


def test_a_dangling_link_in_the_cache_is_downloaded_again(server):
  server.add("org/net", {"model.safetensors": _WEIGHTS})
  path = hub.fetch("hf://org/net").path / "model.safetensors"
  path.resolve().unlink()
  assert (hub.fetch("hf://org/net").path / path.name).read_bytes() == _WEIGHTS


def test_an_upload_whose_answer_lacks_its_commit_is_one_sentence(server, tmp_path):
  (tmp_path / "out").mkdir()
  (tmp_path / "out" / "model.json").write_text("{}")
  server.committed = {"success": True}
  with pytest.raises(hub.HubError, match=r"^hf://me/net: an answer .* not the hub's"):
    hub.upload(tmp_path / "out", "hf://me/net", message="first")
