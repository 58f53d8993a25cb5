import functools
import json
import os
import pathlib
import resource

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import temporal_jax
from temporal_jax import inference, training
from temporal_jax.inference.runtime.override_schema import check_overrides
from temporal_jax.saved_networks.variables import digest_of_leaves

DESCRIPTION = {
  "model": "resnet18",
  "overrides": {"width": 8, "stage_sizes": [1]},
  "num_classes": 2,
  "clip_shape": [2, 16, 16, 3],
  "class_names": ["falling", "waving"],
  "pixels": {"mean": [0.5] * 3, "std": [0.25] * 3},
}


@pytest.fixture(scope="module")
def variables():
  model = temporal_jax.create_model(
    "resnet18", num_classes=2, width=8, stage_sizes=(1,)
  )
  return jax.jit(model.init)(jax.random.key(0), jnp.zeros((1, 2, 16, 16, 3)))


@pytest.fixture
def directory(tmp_path, variables):
  inference.save_model(tmp_path / "model", variables, DESCRIPTION)
  return tmp_path / "model"


def test_is_read_as_it_was_written(directory, variables):
  saved = inference.load_model(directory)
  jax.tree.map(np.testing.assert_array_equal, saved.variables, variables)
  assert saved.class_names == ("falling", "waving")
  assert saved.clip_shape == (2, 16, 16, 3)
  logits, _ = saved.network.apply(saved.variables, jnp.zeros((1, 2, 16, 16, 3)))
  assert logits.shape == (1, 2)
  assert saved.description["sha256"] == inference.digest(variables)
  assert [path.name for path in directory.parent.iterdir()] == ["model"]


def test_training_reads_it_too(directory, variables):
  loaded = training.load_variables(directory)
  jax.tree.map(np.testing.assert_array_equal, loaded, variables)


def test_a_network_without_statistics(tmp_path):
  overrides = {"width": 64, "num_heads": 1, "depth": 1, "patch_size": 8}
  network = temporal_jax.create_model(
    "vit_b32_joint", num_classes=2, num_frames=2, image_size=16, **overrides
  )
  clip = jax.ShapeDtypeStruct((1, 2, 16, 16, 3), jnp.float32)
  shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  params = jax.tree.map(lambda leaf: np.ones(leaf.shape, leaf.dtype), shapes)
  overrides |= {"num_frames": 2, "image_size": 16}
  description = {
    **DESCRIPTION,
    "model": "vit_b32_joint",
    "overrides": overrides,
  }
  inference.save_model(tmp_path / "model", params, description)
  for read in (training.load_variables, inference.load_model):
    loaded = read(tmp_path / "model")
    loaded = getattr(loaded, "variables", loaded)
    assert loaded["batch_stats"] == {}
    np.testing.assert_array_equal(
      loaded["params"]["head"]["kernel"], params["params"]["head"]["kernel"]
    )


def test_digest_sees_names_shapes_and_values():
  tree = {"params": {"a": np.arange(6, dtype=np.float32)}}
  others = [
    {"params": {"b": tree["params"]["a"]}},
    {"params": {"a": tree["params"]["a"].reshape(2, 3)}},
    {"params": {"a": tree["params"]["a"] + 1}},
  ]
  found = {inference.digest(other) for other in [tree, *others]}
  assert len(found) == 4


def test_writes_over_nothing(directory, variables):
  with pytest.raises(FileExistsError, match="exists already"):
    inference.save_model(directory, variables, DESCRIPTION)


def test_leaves_nothing_behind_if_it_fails(tmp_path, variables):
  variables = {"params": variables["params"], "batch_stats": {}}
  with pytest.raises(ValueError, match="do not fit resnet18"):
    inference.save_model(tmp_path / "model", variables, DESCRIPTION)
  assert list(tmp_path.iterdir()) == []


def test_a_disk_without_space_is_an_error_of_the_system(tmp_path, variables):
  out = tmp_path / "model"
  soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # Bytes of a file.
  try:
    with pytest.raises(OSError, match="File too large") as caught:
      inference.save_model(out, variables, DESCRIPTION)
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
  assert caught.value.filename == f"{out / 'model.safetensors'}"
  assert list(tmp_path.iterdir()) == []


def test_refuses_what_is_no_model(tmp_path, directory):
  with pytest.raises(FileNotFoundError, match=r"there is no model\.json in"):
    inference.load_model(tmp_path)
  path = directory / "model.json"
  path.write_text(json.dumps({"model": "resnet18"}))
  with pytest.raises(ValueError, match=r"lacks \['overrides', "):
    inference.load_model(directory)
  path.write_text("{")
  with pytest.raises(ValueError, match="is not JSON"):
    inference.load_model(directory)


def test_no_file_has_the_path_it_was_written_to(directory, tmp_path):
  files = [path for path in directory.rglob("*") if path.is_file()]
  assert files
  for path in files:
    assert os.fsencode(tmp_path) not in path.read_bytes(), path


def _empty(file):
  file.write_bytes(b"")


def _flip(file):
  content = bytearray(file.read_bytes())
  content[len(content) // 2] ^= 1
  file.write_bytes(content)


def test_each_damaged_file_of_the_variables_is_named(directory):
  for file in (directory / "model.safetensors", directory / "sha256sums.txt"):
    before = file.read_bytes()
    for damage in (_flip, _empty, pathlib.Path.unlink):
      damage(file)
      if damage is pathlib.Path.unlink and file.name == "sha256sums.txt":
        inference.load_model(directory)  # As a folder of an older version.
      else:
        with pytest.raises(ValueError, match=str(directory)):
          inference.load_model(directory)
      file.write_bytes(before)


def test_a_folder_without_a_list_is_compared_by_its_values(directory):
  (directory / "sha256sums.txt").unlink()
  variables = inference.load_model(directory).variables
  description = inference.read_description(directory)
  inference.write_description(directory, {**description, "sha256": "0" * 64}, variables)
  with pytest.raises(ValueError, match="changed since they were written"):
    inference.load_model(directory)


def test_an_older_run_may_have_neither(directory):
  (directory / "sha256sums.txt").unlink()
  variables = inference.load_model(directory).variables
  description = inference.read_description(directory)
  del description["sha256"]
  inference.write_description(directory, description, variables)
  inference.load_model(directory)


def test_the_digest_of_leaves_sees_the_clips(variables):
  description = {"model": "m", "overrides": {}, "num_classes": 2}
  digests = {
    digest_of_leaves({**description, "clip_shape": [frames, 8, 8, 3]}, variables)
    for frames in (4, 8, 8)
  }
  assert len(digests) == 2


def test_numbers_have_the_range_of_their_argument():
  check = functools.partial(check_overrides, "model.json", "vit_b16_in21k")
  check({"mlp_ratio": 4.5, "dropout": 0.5, "epsilon": 1e-6})
  for name, value in (("mlp_ratio", 0), ("mlp_ratio", 1e6), ("dropout", 1.5)):
    with pytest.raises(ValueError, match=f"overrides.{name} must be a number"):
      check({name: value})
