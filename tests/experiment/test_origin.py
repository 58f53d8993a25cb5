"""A run's network has the activation that its first weights need."""

import functools
import json

import pytest

import temporal_jax
from temporal_jax.configs import base, finetune
from temporal_jax.experiment.network import network_arguments
from temporal_jax.experiment.origin import check_origin, complete

_TINY = {"width": 64, "depth": 1, "num_heads": 1, "patch_size": 4, "grid": 2}


def _network(**arguments):
  return temporal_jax.create_model("vit_b16", num_classes=3, **_TINY, **arguments)


def test_another_activation_than_the_weights_have_is_refused(tmp_path):
  description = {
    "model": "atm_vit_b16",
    "num_classes": 5,
    "overrides": {**_TINY, "activation": "gelu"},
    "clip_shape": [2, 8, 8, 3],
  }
  (tmp_path / "model.json").write_text(json.dumps(description))
  with pytest.raises(ValueError, match=r"--config\.model\.activation=gelu") as got:
    check_origin(_network(), str(tmp_path), 3)
  assert str(tmp_path) in str(got.value)
  same = _network(activation="gelu")
  check_origin(same, str(tmp_path), 3)
  resnet = temporal_jax.create_model("resnet18", num_classes=3)
  check_origin(resnet, str(tmp_path), 3)  # It has none.
  with pytest.raises(ValueError, match=r"of 3 channels.* have 10: .* --channels 10"):
    check_origin(same, str(tmp_path), 10)


def test_other_frames_of_the_slow_pathway_are_named(tmp_path, caplog):
  description = {
    "model": "slowfast_50_4x16",
    "num_classes": 5,
    "overrides": {"slow_sampling": "linspace"},
    "clip_shape": [32, 224, 224, 3],
  }
  (tmp_path / "model.json").write_text(json.dumps(description))
  create = functools.partial(temporal_jax.create_model, "slowfast_50_8x8")
  check_origin(create(num_classes=3, slow_sampling="linspace"), str(tmp_path), 3)
  assert not caplog.messages
  check_origin(create(num_classes=3), str(tmp_path), 3)
  (words,) = caplog.messages
  assert "slow_sampling 'linspace', and the run has 'stride'" in words
  assert "--config.model.overrides.slow_sampling=linspace" in words


def test_weights_without_a_description_are_not_compared(tmp_path):
  check_origin(_network(), "", 3)
  check_origin(_network(), str(tmp_path), 10)


def test_a_config_names_the_activation():
  config = base.get_config()
  assert "activation" not in network_arguments(config)
  config.model.activation = "gelu"
  assert network_arguments(config)["activation"] == "gelu"


def test_statistics_of_rgb_are_not_those_of_flow(tmp_path):
  """Converted weights of 10 channels come with the image network's."""
  description = {
    "model": "resnet18",
    "overrides": {},
    "num_classes": 3,
    "clip_shape": [8, 32, 32, 10],
    "class_names": ["a", "b", "c"],
    "pixels": {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.2, 0.2]},
  }
  (tmp_path / "model.json").write_text(json.dumps(description))
  config = finetune.get_config()
  config.init_from, config.data.flow = str(tmp_path), 5
  assert complete(config).data.pixel_mean == ()
  config.data.flow = 0
  assert complete(config).data.pixel_mean == (0.4, 0.5, 0.6)


@pytest.mark.parametrize(
  ("name", "width"), [(None, 16), ("resnet18", None), ("resnet34", None)]
)
def test_a_network_that_is_named_is_that_of_the_catalog(name, width):
  config = finetune.get_config()
  config.model.name = name
  model = complete(config).model
  assert model.overrides.get("width") == width
  assert model.temporal == ("default" if name else "aggregation")
