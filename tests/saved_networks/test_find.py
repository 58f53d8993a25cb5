"""Weights by path, by the name of a bundled network, or by address."""

import pytest

from temporal_jax.saved_networks import bundled
from temporal_jax.saved_networks.find import find_folder, locate


def test_a_path_comes_before_a_bundled_name(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  found = locate("camera_motion")
  assert found.path == bundled.find("camera_motion")
  assert found.is_own
  (tmp_path / "camera_motion").mkdir()
  found = locate("camera_motion")
  assert found.path == tmp_path / "camera_motion"
  assert not found.is_own


@pytest.mark.parametrize(
  ("name", "words"),
  [
    ("camera_moton", "; did you mean 'camera_motion'?"),
    ("resnet18", "; resnet18 has no weights here."),
    ("nowhere", ", and no bundled network of this name, as camera_motion is."),
  ],
)
def test_a_place_without_weights_is_named(tmp_path, monkeypatch, name, words):
  monkeypatch.chdir(tmp_path)
  with pytest.raises(FileNotFoundError) as caught:
    find_folder(name)
  assert str(caught.value) == f"there is no file or folder {tmp_path / name}{words}"


@pytest.mark.parametrize(
  "name",
  [
    "org/net",
    "HF://org/net",
    "hf:org/net",
    "https://huggingface.co/org/net",
    "https://huggingface.co/org/net/tree/main",
    "huggingface.co/org/net",
    "hf.co/org/net",
  ],
)
def test_other_ways_to_write_an_address_are_known(tmp_path, monkeypatch, name):
  monkeypatch.chdir(tmp_path)
  words = r"; for a repository of the hub write hf://org/net\.$"
  with pytest.raises(FileNotFoundError, match=words):
    find_folder(name)


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "b/" * 3000])
def test_a_name_that_no_file_can_have_is_not_there(name):
  with pytest.raises(FileNotFoundError, match="there is no file or folder"):
    find_folder(name)
