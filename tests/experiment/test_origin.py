"""A run's network has the activation that its first weights need."""

import json

import pytest

import temporal_jax
from temporal_jax.configs import base
from temporal_jax.experiment.network import network_arguments
from temporal_jax.experiment.origin import check_origin

_TINY = {"width": 64, "depth": 1, "num_heads": 1, "patch_size": 4, "grid": 2}


def _network(**arguments):
  return temporal_jax.create_model("vit_b16", num_classes=3, **_TINY, **arguments)


def test_another_activation_than_the_weights_have_is_refused(tmp_path):
  description = {
    "model": "atm_vit_b16",
    "num_classes": 5,
    "overrides": {**_TINY, "activation": "gelu"},
  }
  (tmp_path / "model.json").write_text(json.dumps(description))
  with pytest.raises(ValueError, match=r"--config\.model\.activation=gelu") as got:
    check_origin(_network(), str(tmp_path))
  assert str(tmp_path) in str(got.value)
  check_origin(_network(activation="gelu"), str(tmp_path))
  resnet = temporal_jax.create_model("resnet18", num_classes=3)
  check_origin(resnet, str(tmp_path))  # It has none.


def test_weights_without_a_description_are_not_compared(tmp_path):
  check_origin(_network(), "")
  check_origin(_network(), str(tmp_path))


def test_a_config_names_the_activation():
  config = base.get_config()
  assert "activation" not in network_arguments(config)
  config.model.activation = "gelu"
  assert network_arguments(config)["activation"] == "gelu"
