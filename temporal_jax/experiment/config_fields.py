"""Fields of a config that flags and stages change."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import ml_collections
from ml_collections import config_dict

from temporal_jax import field_types
from temporal_jax.localization import LOCALIZERS
from temporal_jax.lookup import did_you_mean, unknown_name
from temporal_jax.models import MODELS

_OVERRIDES, _DECODING = "config.model.overrides", "config.decoding"
# Fields of the config that `create_model` gets as well as the overrides.
_ELSEWHERE = {"name", "parent", "num_classes", "temporal", "remat", "dtype"}
_FLAG = re.compile(r"--?config\.([^=]+)=?(.*)", re.DOTALL)


def unknown_field(config: ml_collections.ConfigDict, arguments: Sequence[str]) -> str:
  """Returns a message about the first flag whose field a config lacks.

  Args:
    config: The config of the file, before any flag changes it.
    arguments: Command line, e.g. ["--config.model.name=vit_b16"].

  Returns:
    The message, "" if there is no such flag.
  """
  network = _flags(arguments).get("model.name") or config.model.name
  for argument in arguments:
    flag = re.match(r"--?(config\.[^=]+)", argument)
    if flag and (message := _check(config, flag[1].split("."), network)):
      return message
  return ""


def add_overrides(config: ml_collections.ConfigDict, arguments: Sequence[str]) -> None:
  """Adds the arguments of the network that flags set to `model.overrides`.

  Fields of its decoding that flags set are added to `decoding` likewise. They
  have no value yet: a flag only changes a field that there is, and has the type
  of that.

  Args:
    config: The config of the file; changed in place.
    arguments: Command line, e.g. ["--config.model.overrides.head=attention"].
  """
  given = _flags(arguments)
  network = given.get("model.name") or config.model.name
  holders = {_OVERRIDES: (config.model.overrides, _arguments(config, network))}
  if "decoding" in config:
    holders[_DECODING] = (config.decoding, _decoding(network))
  for field in given:
    for holder, (values, known) in holders.items():
      _, _, name = f"config.{field}".partition(f"{holder}.")
      name = name.split("[")[0]
      if name in known and name not in values:
        with values.unlocked():  # A config file may have locked it.
          values[name] = config_dict.placeholder(_kind_of_flag(known[name]))


def _flags(arguments: Sequence[str]) -> dict[str, str]:
  """Returns field -> value of the flags --config.FIELD=VALUE."""
  flags = map(_FLAG.match, arguments)
  return {flag[1]: flag[2] for flag in flags if flag}


def check_overrides(config: ml_collections.ConfigDict) -> None:
  """Raises ValueError if an argument of the network has the wrong type."""
  known = _arguments(config, config.model.name)
  for name, value in config.model.overrides.items():
    if name in known and not field_types.fits(value, known[name]):
      raise ValueError(
        f"{_OVERRIDES}.{name} must be {field_types.words(known[name])}, got {value!r}."
      )


def stages(
  config: ml_collections.ConfigDict,
) -> list[ml_collections.ConfigDict]:
  """Returns the configs of the stages; the config itself if there are none.

  Raises:
    ValueError: If a stage changes a field that there is not, or to a value of
      another type.
  """
  runs = []
  for number, changes in enumerate(config.stages or ({},), start=1):
    run = config.copy_and_resolve_references()
    try:
      run.update_from_flattened_dict(dict(changes))
    except (AttributeError, KeyError, TypeError) as error:
      raise ValueError(f"stage {number}: {error.args[0]}") from None
    run.stages = ()
    runs.append(run)
  return runs


def _check(
  config: ml_collections.ConfigDict, path: Sequence[str], network: str | None
) -> str:
  fields = config
  for place, part in enumerate(path[1:], start=1):
    name = part.split("[")[0]  # "betas[0]" is a field and an index.
    holder = ".".join(path[:place])
    if not isinstance(fields, ml_collections.ConfigDict):
      return f"{holder} is a single field and has no field {name!r}."
    if name not in fields:
      if holder == _OVERRIDES:
        return _unknown_override(config, name, network)
      if holder == _DECODING and _decoding(network):
        return (
          f"config.{unknown_name(name, _decoding(network), 'field', of='decoding')}"
        )
      hint = did_you_mean(name, fields.keys()) or f"; it has {sorted(fields)}."
      return f"{holder} has no field {name!r}{hint}"
    fields = fields[name]
  return ""


def _unknown_override(
  config: ml_collections.ConfigDict, name: str, network: str | None
) -> str:
  if name in config.model:
    return f"{_OVERRIDES} has no {name}: the field is config.model.{name}."
  if name == "num_classes" and "num_classes" in config.data:
    return f"{_OVERRIDES} has no num_classes: the field is config.data.num_classes."
  known = _arguments(config, network)
  of = network if network in _catalog(config) else "the networks"
  return f"{_OVERRIDES}: {unknown_name(name, sorted(known), 'argument', of=of)}"


def _catalog(config: ml_collections.ConfigDict) -> Mapping[str, Any]:
  """Returns the networks that a config's task chooses from."""
  return LOCALIZERS if config.get("task") == "localization" else MODELS


def _decoding(network: str) -> dict[str, Any]:
  """Returns the type of each field of how a network's results are decoded."""
  if network not in LOCALIZERS:
    return {}
  fields = dataclasses.fields(LOCALIZERS[network].decoding)
  return {field.name: field.type for field in fields}


def _arguments(
  config: ml_collections.ConfigDict, network: str | None
) -> dict[str, Any]:
  """Returns the type of each argument that a network's class has.

  Without a network of the catalog, whose name may follow from weights, these
  are the arguments of all classes.
  """
  catalog = _catalog(config)
  entries = [catalog[network]] if network in catalog else list(catalog.values())
  fields = {
    field.name: field.type
    for entry in entries
    for field in dataclasses.fields(entry.module)
    if field_types.words(field.type)
  }
  return {name: kind for name, kind in fields.items() if name not in _ELSEWHERE}


def _kind_of_flag(kind: Any) -> type:
  """Returns the type of a flag for an argument of a network."""
  for simple in (bool, float, int, str):  # An integer fits `float` as well.
    if field_types.fits(simple(), kind):
      # A flag that is read as Python's own values takes None too.
      may_be_none = simple is not str and field_types.fits(None, kind)
      return object if may_be_none else simple
  is_tuple = "(" in field_types.words(kind) or "tuple" in field_types.words(kind)
  return tuple if is_tuple else object
