"""Converted networks as folders."""

import numpy as np
import pytest
import safetensors.numpy

import convert_weights
from convert_weights.output import save_checkpoint
from convert_weights.planning.causes import NoClassifierError
from temporal_jax import inference
from tests.support import network_shapes

_TINY = {"width": 8, "stage_sizes": (1, 1)}


def _checkpoint(folder, leave_out=()):
  """A file of torchvision's naming, without tensors of some names."""
  network = network_shapes.build("resnet18", num_classes=5, **_TINY)
  shapes = network_shapes.shapes(network, 3)
  tensors = network_shapes.draw(network_shapes.names("torchvision", network, shapes))
  kept = {
    name: np.asarray(value) for name, value in tensors.items() if name not in leave_out
  }
  safetensors.numpy.save_file(kept, folder / "weights.safetensors")
  return convert_weights.read(folder / "weights.safetensors")


def _save(checkpoint, folder, **arguments):
  save_checkpoint("resnet18", checkpoint, folder / "out", **{**_TINY, **arguments})
  return inference.load_model(folder / "out")


@pytest.mark.parametrize(
  ("lost", "line"),
  [("fc.bias", "- params/head/bias (5,)"), ("bn1.bias", "- params/stem_norm/bias")],
)
def test_a_classifier_is_never_dropped(tmp_path, lost, line):
  checkpoint = _checkpoint(tmp_path, leave_out=[lost])
  with pytest.raises(ValueError, match="do not fit resnet18") as caught:
    _save(checkpoint, tmp_path)
  assert line in str(caught.value)
  assert not (tmp_path / "out").exists()


def test_a_network_that_needs_a_classifier_gets_a_new_one(tmp_path, caplog):
  checkpoint = _checkpoint(tmp_path, leave_out=["fc.weight", "fc.bias"])
  saved = _save(checkpoint, tmp_path, allow_missing=["head/*"])
  assert saved.variables["params"]["head"]["kernel"].shape == (16, 1)
  note = "no classifier in the checkpoint: the network gets a new one, of 1 class."
  assert note in caplog.text
  assert note in saved.description["report"]["notes"]


def test_a_head_that_starts_anew_is_logged(tmp_path, caplog):
  _save(_checkpoint(tmp_path), tmp_path, num_classes=7)
  assert "the head starts anew: 7 classes, 5 in the checkpoint." in caplog.text


def test_only_a_missing_classifier_has_its_own_error(tmp_path):
  checkpoint = _checkpoint(tmp_path, leave_out=["fc.weight", "fc.bias", "bn1.bias"])
  with pytest.raises(ValueError, match="a classifier, which the network") as caught:
    _save(checkpoint, tmp_path, allow_missing=["head/*"])
  assert not isinstance(caught.value, NoClassifierError)
