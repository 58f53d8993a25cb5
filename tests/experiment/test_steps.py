"""Parameters that a step trains."""

import types

import jax
import pytest

from temporal_jax import models
from temporal_jax.configs import ila
from temporal_jax.experiment import steps


def _in_training(name, **changes):
  model = models.create_model(name, num_classes=4, **changes)
  length = types.SimpleNamespace(steps_per_epoch=10)
  components = types.SimpleNamespace(model=model, length=length)
  return model, steps._disturbed(ila.get_config("vit_b32_k400"), components)


def test_masks_are_disturbed_half_as_much_from_epoch_30():
  _, network = _in_training("ila_vit_b32")
  offsets = [
    float(network(jax.numpy.asarray(step)).temporal.attention_branch().disturbance)
    for step in (0, 299, 300, 310)
  ]
  assert offsets == pytest.approx([0.2, 0.2, 0.1, 0.05])


@pytest.mark.parametrize(
  ("name", "changes"),
  [
    ("vit_b32_spatial", {}),
    ("vit_b32_joint", {}),
    ("vit_b32_divided", {}),
    ("vit_b32_ata", {}),
    ("xclip_b32", {}),
    ("ila_vit_b32", {"temporal": "none"}),
  ],
)
def test_networks_without_masks_train_in_the_recipe_of_ila(name, changes):
  model, network = _in_training(name, **changes)
  assert network is model
