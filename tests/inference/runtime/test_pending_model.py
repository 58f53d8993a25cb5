"""Networks that are compiled while their variables are read."""

import logging
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import cli, inference
from temporal_jax.inference.runtime.clip_to_probabilities import (
  prepare_shapes,
  prepare_variables,
)
from temporal_jax.inference.runtime.padded_batches import PaddedBatches
from temporal_jax.saved_networks import variables as saved_variables
from tests.support.saved_models import save_resnet, small_model
from tests.support.saved_video_text import make_saved
from tests.support.tiny_predictor import save_tiny, write_noise


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
  return save_tiny(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def video(tmp_path_factory):
  return write_noise(tmp_path_factory.mktemp("video") / "noise.mp4", 9, (16, 24))


@pytest.fixture
def programs(caplog):
  """Calls a function and returns how many programs of batches it compiled."""

  def count(function):
    caplog.clear()
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
      function()
    return sum(
      "Finished XLA compilation of jit(counted)" in record.getMessage()
      for record in caplog.records
    )

  return count


def test_the_network_is_compiled_while_values_are_read(directory, monkeypatch):
  compiled, check = threading.Event(), saved_variables.check_finite
  compile_batches = PaddedBatches.compile

  def wait_and_check(*arguments):
    assert compiled.wait(timeout=60)
    check(*arguments)

  def compile_and_say(self, *arguments):
    compile_batches(self, *arguments)
    compiled.set()

  monkeypatch.setattr(saved_variables, "check_finite", wait_and_check)
  monkeypatch.setattr(PaddedBatches, "compile", compile_and_say)
  predictor = inference.Predictor(directory, num_videos=1)
  assert predictor.classifier.compilations == 1


def test_predicts_the_same_with_one_program(directory, video, programs):
  wanted = inference.Predictor(inference.load_model(directory))(video)
  predictors, found = [], []

  def prepare():
    predictors.append(inference.Predictor(directory, num_videos=1))

  assert programs(prepare) == 1
  assert programs(lambda: found.append(predictors[0](video))) == 0
  np.testing.assert_array_equal(found[0].probabilities, wanted.probabilities)
  assert predictors[0].classifier.compilations == 1
  assert predictors[0].classifier.batch_size == 6  # 2 clips of 3 crops.


def test_nothing_is_compiled_for_an_unknown_number_of_videos(directory):
  assert inference.Predictor(directory).classifier.compilations == 0
  with pytest.raises(ValueError, match="num_videos must be at least 1, got 0"):
    inference.Predictor(directory, num_videos=0)


@pytest.mark.parametrize("command", ["predict", "watch", "extract"])
def test_commands_compile_once(command, video, tmp_path, programs):
  directory = save_resnet(tmp_path / "model")
  out = [str(tmp_path / "out")] if command == "extract" else []
  words = [command, video, *out, "--model", directory]
  assert programs(lambda: cli.main(words)) == 1
  if command == "extract":  # All files exist.
    assert programs(lambda: cli.main(words)) == 0


def test_values_that_are_refused_while_it_compiles(tmp_path):
  directory = tmp_path / "model"
  save_resnet(directory)
  saved = inference.load_model(directory)
  bad = jax.tree.map(lambda leaf: np.full_like(leaf, np.nan), saved.variables)
  inference.save_model(tmp_path / "bad", bad, saved.description)
  with pytest.raises(ValueError, match="must hold finite numbers") as wanted:
    inference.load_model(tmp_path / "bad")
  model = inference.begin_loading(tmp_path / "bad")
  with pytest.raises(ValueError, match="must hold finite numbers") as found:
    inference.Predictor(model, num_videos=1)
  assert str(found.value) == str(wanted.value)
  largest = directory / "model.safetensors"
  largest.write_bytes(largest.read_bytes()[:-1])
  with pytest.raises(ValueError, match=f"{largest.name} is changed since"):
    inference.Predictor(directory, num_videos=1)


def test_an_error_of_compiling_is_raised_by_the_first_use(directory, monkeypatch):
  clips = np.zeros((1, 2, 16, 16, 3), np.uint8)

  def fail(*_, **__):
    raise ValueError("no such clips")

  monkeypatch.setattr(
    type(small_model(width=8, stage_sizes=(1,)).network), "apply", fail
  )
  model = inference.begin_loading(directory)
  classifier = inference.Classifier(model, expected=1)
  for _ in range(2):
    with pytest.raises(ValueError, match="no such clips"):
      classifier(clips)


def test_shapes_of_what_is_prepared():
  for saved in (small_model(width=8, stage_sizes=(1,)), make_saved()):
    shapes = jax.eval_shape(lambda x: x, saved.variables)
    found = prepare_shapes(saved._replace(variables=shapes))
    wanted = jax.tree.map(jnp.asarray, prepare_variables(saved))
    assert jax.tree.map(lambda x: (x.shape, x.dtype), found) == jax.tree.map(
      lambda x: (x.shape, x.dtype), wanted
    )


def test_values_keep_the_digits_that_the_caller_allows(tmp_path):
  saved = small_model(width=8, stage_sizes=(1,))
  directory = save_resnet(tmp_path / "narrow")
  description = inference.read_description(directory)
  with jax.enable_x64(True):
    wide = jax.tree.map(lambda leaf: leaf.astype(np.float64), saved.variables)
    inference.save_model(tmp_path / "wide", wide, description)
    found = inference.load_model(tmp_path / "wide").variables
  assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {np.dtype("float64")}
