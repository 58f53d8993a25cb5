import jax
import numpy as np
import pytest

from temporal_jax import inference
from temporal_jax.inference.runtime.clip_to_probabilities import to_probabilities
from tests.support.saved_models import small_model

_CLIP = (1, 2, 16, 16, 3)
_OVERRIDES = {"width": 8, "stage_sizes": [1]}


def _description(num_classes=2):
  return {
    "model": "resnet18",
    "overrides": _OVERRIDES,
    "num_classes": num_classes,
    "clip_shape": list(_CLIP[1:]),
    "class_names": [],
    "pixels": {"mean": [0.5] * 3, "std": [0.25] * 3},
  }


@pytest.fixture
def folder(tmp_path):
  model = small_model(width=8, stage_sizes=(1,))
  inference.save_model(tmp_path / "net", model.variables, _description())
  return tmp_path / "net"


def _logit(folder):
  saved = inference.load_model(folder, dtype="float32")
  forward = jax.jit(inference.create_forward(saved))
  clip = np.random.default_rng(0).integers(0, 256, _CLIP, np.uint8)
  scores = forward(inference.prepare_variables(saved), clip)
  return float(np.log(scores[0, 0] / scores[0, 1]))


def test_stored_temperature_divides_the_logits(folder):
  logit, before = _logit(folder), inference.read_description(folder)
  inference.store_temperature(folder, 2.5)
  np.testing.assert_allclose(_logit(folder), logit / 2.5, rtol=1e-5)
  assert inference.read_description(folder) == before | {"temperature": 2.5}
  inference.store_temperature(folder, 1.0)
  np.testing.assert_allclose(_logit(folder), logit, rtol=1e-6)


@pytest.mark.parametrize(
  "value", [0, -1.0, float("nan"), True, "2", {"verb": 2.0}, None]
)
def test_other_values_are_refused(folder, value):
  text = (folder / "model.json").read_text()
  with pytest.raises(ValueError, match="temperature must be a number"):
    inference.store_temperature(folder, value)
  assert (folder / "model.json").read_text() == text


def test_a_folder_without_a_network_is_refused(tmp_path):
  with pytest.raises(FileNotFoundError, match=r"no model\.json"):
    inference.store_temperature(tmp_path, 2.0)


def test_each_task_has_its_own():
  saved = small_model(width=8, stage_sizes=(1,))
  saved = saved._replace(description={"temperature": {"verb": 2.0, "noun": 1.0}})
  logits = {"noun": np.array([[1.0, 0.0]]), "verb": np.array([[1.0, 0.0]])}
  got = to_probabilities(saved, logits)
  np.testing.assert_allclose(got["noun"][0, 0], 1 / (1 + np.exp(-1.0)), rtol=1e-6)
  np.testing.assert_allclose(got["verb"][0, 0], 1 / (1 + np.exp(-0.5)), rtol=1e-6)


def test_several_labels_are_scaled_too():
  saved = small_model(width=8, stage_sizes=(1,))
  saved = saved._replace(description={"temperature": 2.0, "multi_label": True})
  got = to_probabilities(saved, np.array([[2.0, -4.0]]))
  np.testing.assert_allclose(got, 1 / (1 + np.exp([[-1.0, 2.0]])), rtol=1e-6)
