"""Weights by path, by the name of a bundled network, or by address."""

import ml_collections
import pytest

from temporal_jax import experiment, storage
from temporal_jax.commands.shared.arguments import is_saved
from temporal_jax.inference import load_model, save_model
from temporal_jax.saved_networks import bundled
from temporal_jax.saved_networks.find import find_folder, locate
from tests.support.bucket import bucket as bucket


def test_a_network_in_a_bucket_is_copied_and_read(bucket, tmp_path):
  folder, address = tmp_path / "motion", "gs://b/nets/motion"
  saved = load_model("camera_motion")
  save_model(folder, saved.variables, saved.description)
  for file in folder.iterdir():
    bucket(f"{address}/{file.name}", file.read_bytes())
  bucket(f"{address}/checkpoints/9/big", b"not needed")
  found = locate(address)
  assert found.is_own
  assert sorted(file.name for file in found.path.iterdir()) == [
    "model.json",
    "model.safetensors",
    storage.DIGESTS,
  ]
  assert is_saved(address)
  assert load_model(address).class_names == saved.class_names
  config = ml_collections.ConfigDict({"init_from": address})
  with experiment.start_weights(config) as weights:
    assert weights.folder == str(found.path)
  bucket(f"{address}/model.safetensors", b"damaged")
  with pytest.raises(ValueError, match=f"{address}/model.safetensors is changed since"):
    load_model(address)
  bucket("gs://b/run/checkpoints/9/big", b"")
  with pytest.raises(ValueError, match="gs://b/run must be the folder of a network"):
    find_folder("gs://b/run")


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
