import jax
import jax.numpy as jnp
import numpy as np
import pytest

import temporal_jax
from temporal_jax import inference, models
from tests.support.tiny_predictor import NAMES, save_tiny, write_noise

TINY = {"width": 8, "stage_sizes": (1,), "num_frames": 2, "image_size": 16}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
  return save_tiny(tmp_path_factory.mktemp("m") / "tiny")


def test_a_new_network_is_the_catalogs():
  saved = inference.new_model("resnet18", num_classes=3, **TINY)
  assert saved.clip_shape == (2, 16, 16, 3)
  clip = jnp.zeros((1, *saved.clip_shape))
  logits, _ = jax.eval_shape(saved.network.apply, saved.variables, clip)
  assert logits.shape == (1, 3)


@pytest.mark.parametrize("form", ["directory", "variables"])
def test_weights_of_any_origin_give_what_they_gave(directory, form):
  want = inference.load_model(directory)
  weights = directory if form == "directory" else want.variables
  saved = inference.catalog_model("resnet18", weights, class_names=NAMES, **TINY)
  assert saved.class_names == want.class_names
  assert saved.clip_shape == want.clip_shape
  saved = saved._replace(pixels=want.pixels)
  clips = np.random.default_rng(0).integers(0, 256, (2, 2, 16, 16, 3), np.uint8)
  found, wanted = (inference.Classifier(x)(clips) for x in (saved, want))
  np.testing.assert_array_equal(found, wanted)


def test_a_name_and_weights_predict(tmp_path):
  network = temporal_jax.create_model("resnet18", num_classes=3)
  spec = models.find_model("resnet18")
  clip = jnp.zeros((1, *spec.clip_shape, 3))
  rng = np.random.default_rng(0)
  weights = jax.tree.map(
    lambda leaf: rng.uniform(0.0, 0.02, leaf.shape).astype(np.float32),
    jax.eval_shape(network.init, jax.random.key(0), clip),
  )
  predictor = inference.Predictor(
    "resnet18", weights=weights, class_names=NAMES, batch_size=1
  )
  prediction = predictor(write_noise(tmp_path / "a.mp4", 9, (48, 64)))
  assert prediction.error is None
  top = prediction.top(predictor.saved.class_names)
  assert {label for label, _ in top} == set(NAMES)
  assert sum(odds for _, odds in top) == pytest.approx(1)


def test_weights_of_another_network_are_refused(directory, tmp_path):
  with pytest.raises(ValueError, match="the weights are not of resnet18"):
    inference.Predictor("resnet18", weights=directory)
  with pytest.raises(ValueError, match="there are names of 2 classes"):
    inference.Predictor("resnet18", weights=directory, class_names=("a", "b"))
  with pytest.raises(ValueError, match="no 'params', only"):
    inference.catalog_model("resnet18", {"kernel": np.zeros(3)})
  with pytest.raises(ValueError, match="did you mean 'resnet"):
    inference.Predictor("resnet81", weights=directory)
  with pytest.raises(FileNotFoundError, match="there is no checkpoint"):
    inference.Predictor("resnet18", weights=tmp_path)


def test_names_and_weights_go_together(directory):
  saved = inference.load_model(directory)
  for model in (saved, directory):
    with pytest.raises(ValueError, match="class_names with weights"):
      inference.Predictor(model, class_names=NAMES)
  with pytest.raises(ValueError, match="weights go with a name"):
    inference.Predictor(saved, weights=saved.variables)
  with pytest.raises(FileNotFoundError, match="resnet18 has no weights here"):
    inference.Predictor("resnet18")
