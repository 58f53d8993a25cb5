"""Fields of a config that flags and stages change."""

import dataclasses
import re
from collections.abc import Sequence

import ml_collections

from temporal_jax.lookup import did_you_mean
from temporal_jax.models import MODELS

_OVERRIDES = "config.model.overrides"


def unknown_field(config: ml_collections.ConfigDict, arguments: Sequence[str]) -> str:
  """Returns a message about the first flag whose field a config lacks.

  Args:
    config: The config of the file, before any flag changes it.
    arguments: Command line, e.g. ["--config.model.name=vit_b16"].

  Returns:
    The message, "" if there is no such flag.
  """
  for argument in arguments:
    flag = re.match(r"--?(config\.[^=]+)", argument)
    if flag and (message := _check(config, flag[1].split("."))):
      return message
  return ""


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


def _check(config: ml_collections.ConfigDict, path: Sequence[str]) -> str:
  fields = config
  for place, part in enumerate(path[1:], start=1):
    name = part.split("[")[0]  # "betas[0]" is a field and an index.
    if not isinstance(fields, ml_collections.ConfigDict):
      return ""
    if name not in fields:
      holder = ".".join(path[:place])
      if holder == _OVERRIDES:
        return _unknown_override(config, name)
      hint = did_you_mean(name, fields.keys()) or f"; it has {sorted(fields)}."
      return f"{holder} has no field {name!r}{hint}"
    fields = fields[name]
  return ""


def _unknown_override(config: ml_collections.ConfigDict, name: str) -> str:
  network = config.model.name
  known = []
  if network in MODELS:
    known = [field.name for field in dataclasses.fields(MODELS[network].module)]
  if name in known:
    hint = f"; {network} takes this argument."
  else:
    hint = did_you_mean(name, {*known, *config.model.overrides}) or "."
  return (
    f"{_OVERRIDES} has no field {name!r}{hint} Fields of model.overrides are "
    "set in the config file; a flag only changes those that are there: "
    f"{sorted(config.model.overrides)}."
  )
