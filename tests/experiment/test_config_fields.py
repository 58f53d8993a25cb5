"""Flags whose field a config lacks are named, with what is allowed."""

import re

import pytest
from ml_collections import config_dict

from temporal_jax.configs import base
from temporal_jax.experiment.config_fields import (
  add_overrides,
  check_overrides,
  unknown_field,
)
from tests.support.read_config import read_config


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
      r"config.model.overrides: unknown argument 'slow_sampling' of resnet18\. "
      r"Known: \['average_first', .*\]\.",
    ),
    (
      "config.model.overrides.remat=True",
      "config.model.overrides has no remat: the field is config.model.remat.",
    ),
    (
      "config.model.overrides.num_classes=3",
      ".*: the field is config.data.num_classes.",
    ),
    (
      "config.model.overrides.widht=3",
      ".* argument 'widht' of resnet18; did you mean 'width'.*",
    ),
    (
      "config.model.overrides.dropuot=0.3",
      ".* argument 'dropuot' of resnet18; did you mean 'dropout'.*",
    ),
    (
      "config.batch_size.a=3",
      "config.batch_size is a single field and has no field 'a'.",
    ),
    (
      "config.model.overrides.width.x=3",
      "config.model.overrides.width is a single field and has no field 'x'.",
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
    "--workdir=config.zzz=3",
    "zzz",
  ],
)
def test_other_arguments_are_passed_over(flag):
  assert unknown_field(_config(), [flag]) == ""


@pytest.mark.parametrize(
  ("name", "flag", "value"),
  [
    ("resnet18", "dropout=0.3", 0.3),
    ("resnet18", "head=attention", "attention"),
    ("resnet18", "stage_sizes=(1,2)", (1, 2)),
    ("resnet18", "average_first=True", True),
    ("tadaformer_b16", "tubelet=(1,1)", (1, 1)),
    ("blvnet_50", "alpha=4", 4),
    (None, "tubelet=(1,1)", (1, 1)),  # The network's name comes with its weights.
  ],
)
def test_a_flag_sets_any_argument_of_the_network(name, flag, value):
  config = base.get_config()
  config.model.name = name or config_dict.placeholder(str)
  flag = f"--config.model.overrides.{flag}"
  add_overrides(config, ["train.py", flag])
  field = flag.partition("=")[0].rpartition(".")[2]
  kind = config.model.overrides.get_type(field)
  assert kind is type(value)
  config.model.overrides[field] = value
  if name:
    check_overrides(config)


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
@pytest.mark.parametrize("value", [None, 512])
def test_a_flag_sets_none_where_an_argument_takes_it(value):
  flag = f"--config.model.overrides.projection={value}"
  config = read_config(["--config=tada:former_l14_k400", flag])
  assert config.model.overrides.projection == value
  check_overrides(config)


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
def test_a_flag_adds_to_arguments_that_a_config_has_set():
  """Its file may leave `overrides` locked."""
  flag = "--config.model.overrides.drop_path=0.2"
  config = read_config(["--config=localization/films", flag])
  assert dict(config.model.overrides) == {"width": 256, "drop_path": 0.2}
  check_overrides(config)


def test_the_network_may_be_named_by_a_flag():
  config = _config()
  flags = [
    "--config.model.overrides.tubelet=(1,1)",
    "--config.model.name=tadaformer_b16",
  ]
  add_overrides(config, flags)
  assert "tubelet" in config.model.overrides
  assert config.model.name == "resnet18"


@pytest.mark.parametrize(
  ("value", "words"),
  [
    ((1, "a"), r"tubelet must be \(an integer, an integer\), got \(1, 'a'\)"),
    ((1,), r"got \(1,\)"),
  ],
)
def test_an_argument_of_another_type_is_refused(value, words):
  config = base.get_config()
  config.model.name = "tadaformer_b16"
  config.model.overrides.tubelet = value
  with pytest.raises(ValueError, match=words):
    check_overrides(config)


def test_the_network_of_a_flag_is_named():
  flags = ["--config.model.name=vit_b16", "--config.model.overrides.widht=3"]
  message = unknown_field(_config(), flags)
  assert "'widht' of vit_b16; did you mean 'width'" in message


def test_a_network_that_is_not_in_the_catalog_has_no_near_names():
  config = _config()
  config.model.name = "mine"
  message = unknown_field(config, ["--config.model.overrides.dropuot=1"])
  assert "'dropuot' of the networks; did you mean 'dropout'" in message
