"""Arguments of a network that the names and shapes of tensors do not give.

They come from the user, from the settings in a checkpoint, or from the code
that the tensors were made by; where none of these has one, the row's own is
assumed and a warning is printed.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.reading import Setting, Settings
from temporal_jax import models
from temporal_jax.models.network import Network
from temporal_jax.ops.activations import ACTIVATIONS, find_activation

# The operator of the row that is no published form of X-ViT.
_NO_FORM = "mixing"
_WORDS = {"temporal": "temporal operator"}


class Arguments(NamedTuple):
  """Arguments of a network, with remarks.

  Attributes:
    overrides: Arguments of `create_model` that differ from the row's, or are
      worth recording.
    notes: Remarks for the user, one per line.
    assumed: Assumptions where nothing states an argument, one per line.
  """

  overrides: dict[str, Any]
  notes: tuple[str, ...]
  assumed: tuple[str, ...]


def settle(
  model_name: str,
  network: Network,
  source: CheckpointFormat,
  *,
  tensors: Mapping[str, Any],
  settings: Settings,
  overrides: Mapping[str, Any],
) -> Arguments:
  """Decides the arguments that the tensors do not show.

  Args:
    model_name: Name of the network in the catalog.
    network: The network with the arguments that were asked for.
    source: The naming of the tensors.
    tensors: The tensors, or their shapes, by name.
    settings: Settings in the checkpoint.
    overrides: Arguments that were asked for.

  Raises:
    ValueError: If the checkpoint or the source's code has one value and
      another was asked for, two places in the checkpoint differ, or no network
      here has their values.
  """
  chosen, notes, assumed = dict(overrides), [], []
  _check_pooling(source, settings)
  _check_fixed(model_name, source, settings, overrides)
  for name, hint in source.unsaid.items():
    if not hasattr(network, name):
      continue
    hint = hint or _heads_hint(name, overrides)
    said = _said(name, settings, network)
    asked = overrides.get(name)
    if name == "temporal" and asked is None:
      own = models.find_model(model_name).temporal
      asked = None if own == _NO_FORM else own
    if said and asked is not None and not _same(name, asked, said.value):
      raise ValueError(
        f"{name} {_text(asked)} was asked for, but {said.where} has "
        f"{_text(said.value)}."
      )
    if said:
      chosen[name] = said.value if asked is None else asked
      notes.append(f"{name} is {_text(chosen[name])}, as in {said.where}.")
    elif asked is not None:
      notes.append(f"{name} is {_text(asked)}, as asked for; the file has none.")
    elif hint:
      value = _default(name, model_name, network)
      if name == "activation":
        chosen[name] = value
      assumed.append(
        f"the file does not state its {_WORDS.get(name, name)}: {_text(value)} "
        f"is assumed. {hint}"
      )
  for name, regex in source.counted.items():
    if name in overrides or not hasattr(network, name):
      continue
    own, count = getattr(network, name), _count(regex, tensors)
    if count and count != own:
      chosen[name] = count
      notes.append(f"{name} is {count}, as the names show ({own} in the row).")
  for name, (value, why) in source.shown(network, tensors).items():
    if name not in overrides:
      chosen[name] = value
      notes.append(f"{name}={_text(value)}: {why}.")
  _check(chosen, settings)
  return Arguments(chosen, tuple(notes), tuple(assumed))


def _heads_hint(name: str, overrides: Mapping[str, Any]) -> str:
  """Returns a remark on heads for another width than the row's, else ""."""
  width = {"num_heads": "width", "text_heads": "text_width"}.get(name)
  if width not in overrides:
    return ""
  heads = max(overrides[width] // 64, 1)
  return f"Most networks have heads of 64 channels: --set {name}={heads}."


def _check_fixed(
  model_name: str,
  source: CheckpointFormat,
  settings: Settings,
  overrides: Mapping[str, Any],
) -> None:
  """Raises ValueError if an override or setting contradicts the code."""
  row = models.create_model(model_name, num_classes=1)
  for name in source.fixed:
    own = getattr(row, name, None)
    if name in overrides and not _same(name, overrides[name], own):
      raise ValueError(
        f"{name} {_text(overrides[name])} was asked for, but the code of "
        f"{source.origin} has {_text(own)}."
      )
    for said in settings.get(name, ()):
      if not _same(name, said.value, own):
        raise ValueError(
          f"{said.where} has {name} {_text(said.value)}; the networks here that "
          f"take the weights of {source.origin} have {_text(own)}."
        )


def _check_pooling(source: CheckpointFormat, settings: Settings) -> None:
  if "num_heads" in source.unsaid and "pooling" in settings:
    where = settings["pooling"][0].where
    raise ValueError(
      f"{where} states that the average of the patches is read; the networks "
      "here read the class token."
    )


def _said(name: str, settings: Settings, network: Network) -> Setting | None:
  """Returns the value of one argument that a checkpoint states.

  Raises:
    ValueError: If it states several values.
  """
  places = list(settings.get(name, ()))
  if name == "activation" and network.reads_text:
    places += settings.get("text_activation", ())
  for place in places[1:]:
    if not _same(name, place.value, places[0].value):
      raise ValueError(
        f"{places[0].where} has {name} {_text(places[0].value)}, but "
        f"{place.where} has {_text(place.value)}."
      )
  return places[0] if places else None


def _check(chosen: Mapping[str, Any], settings: Settings) -> None:
  """Raises ValueError if no network has the form that a checkpoint states."""
  for name, known in (
    ("activation", ACTIVATIONS),
    ("temporal", models.OPERATORS),
  ):
    value = chosen.get(name)
    if isinstance(value, str) and value not in known and name in settings:
      where = settings[name][0].where
      raise ValueError(
        f"{where} has {name} {_text(value)}, which no network of the catalog has; "
        f"known are {sorted(known)}."
      )


def _same(name: str, one: Any, other: Any) -> bool:
  if name == "activation":
    return _function(one) is _function(other) or one == other
  return one == other


def _function(activation: Any) -> Any:
  known = not isinstance(activation, str) or activation in ACTIVATIONS
  return find_activation(activation) if known else activation


def _default(name: str, model_name: str, network: Network) -> Any:
  """Returns the row's own value, by its name."""
  if name == "temporal":
    return models.find_model(model_name).temporal
  value = getattr(network, name)
  names = (key for key, function in ACTIVATIONS.items() if function is value)
  return next(names, value) if name == "activation" else value


def _count(regex: str, names: Collection[str]) -> int:
  """Returns the count of the numbers, from 0, that a regex's group takes."""
  expression = re.compile(regex)
  found = (expression.fullmatch(name) for name in names)
  return max((int(match[1]) + 1 for match in found if match), default=0)


def _text(value: Any) -> str:
  """Returns a value as it is written on the command line."""
  return getattr(value, "__name__", None) or str(value)
