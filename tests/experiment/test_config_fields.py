"""Flags whose field a config lacks are named, with what is allowed."""

import re

import pytest

from temporal_jax.configs import base
from temporal_jax.experiment import unknown_field


def _config():
  config = base.get_config()
  config.model.name = "resnet18"
  config.model.overrides.update({"width": 16})
  return config


@pytest.mark.parametrize(
  ("flag", "message"),
  [
    (
      "config.modle.name=x",
      "config has no field 'modle'; did you mean 'model'.*",
    ),
    (
      "config.data.roof=x",
      "config.data has no field 'roof'; did you mean 'root'.*",
    ),
    (
      "config.model.zzz=x",
      r"config.model has no field 'zzz'; it has \['activation', .*\]\.",
    ),
    (
      "config.model.overrides.slow_sampling=3",
      r"config.model.overrides has no field 'slow_sampling'\. Fields of "
      "model.overrides are set in the config file; a flag only changes those "
      r"that are there: \['width'\]\.",
    ),
    (
      "config.model.overrides.widht=3",
      r".* has no field 'widht'; did you mean 'width'.* set in the config.*",
    ),
    (
      "config.model.overrides.dropuot=0.3",
      r".* has no field 'dropuot'; did you mean 'dropout'.*",
    ),
    (
      "config.model.overrides.dropout=0.3",
      r".* has no field 'dropout'; resnet18 takes this argument\. .*",
    ),
  ],
)
def test_a_field_that_is_lacking_is_named(flag, message):
  for dashes in ("-", "--"):
    got = unknown_field(_config(), ["train.py", dashes + flag])
    assert re.fullmatch(message, got), got


@pytest.mark.parametrize(
  "flag",
  [
    "--config=configs/base.py",
    "--config.model.overrides.width=3",
    "--config.model.name=vit_b16",
    "--config.batch_size.a=3",
    "--workdir=config.zzz=3",
    "zzz",
  ],
)
def test_other_arguments_are_passed_over(flag):
  assert unknown_field(_config(), [flag]) == ""


def test_a_network_that_is_not_in_the_catalog_has_no_near_names():
  config = _config()
  config.model.name = "mine"
  message = unknown_field(config, ["--config.model.overrides.dropout=1"])
  assert message.endswith("those that are there: ['width'].")
