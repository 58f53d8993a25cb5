"""What a run takes over from the weights that it starts from."""

from collections.abc import Collection, Mapping
from typing import Any

import ml_collections
from flax import traverse_util

from temporal_jax import data, inference, models, training
from temporal_jax.experiment.components import Parts
from temporal_jax.experiment.network import create_network
from temporal_jax.experiment.own_classes import class_rows
from temporal_jax.experiment.settings import clip_shape

_SIZES = ("num_frames", "image_size")
_SHORT_SIDE = 8 / 7  # Of the image size, where weights do not say: 256 of 224.


def complete(
  config: ml_collections.ConfigDict,
  earlier: Mapping[str, Any] | None = None,
) -> ml_collections.ConfigDict:
  """Fills the fields that are None as the weights of `init_from` have them.

  Only of configs with `from_scratch`, which stands in where there are no
  weights. Arguments of the network are taken over where the config gives no
  other `model.name`; those that it gives itself stay.

  Args:
    config: The run's config; it is not changed.
    earlier: The model.json of the run that is resumed, which then counts
      instead of the one of `init_from`.

  Raises:
    ValueError: If `init_from` has no model.json.
  """
  if not config.from_scratch:
    return config
  config = config.copy_and_resolve_references()
  description = earlier or _describe_weights(config)
  with config.unlocked():
    _fill_network(config, description)
    _fill_clips(config, description)
  return config


def fitting(
  config: ml_collections.ConfigDict,
  parts: Parts,
  names: data.ClassNames,
  loaded: Any,
) -> training.Fitting:
  """Says which leaves of the weights of `init_from` may differ, and how.

  Args:
    config: The run's config.
    parts: The run's network and its number of classes.
    names: Names of the classes of the data.
    loaded: Variables of the weights.

  Raises:
    ValueError: See `class_rows`.
  """
  description = inference.read_description(config.init_from) or {}
  return training.Fitting(
    rows=class_rows(config, parts, names),
    operator=_operator_leaves(config, parts, description, loaded),
    untrained=inference.untrained_leaves(description),
  )


def _describe_weights(config: ml_collections.ConfigDict) -> Mapping[str, Any]:
  """Returns the model.json of `init_from`, or what stands in without it."""
  if not config.init_from:
    return config.from_scratch.to_dict()
  description = inference.read_description(config.init_from)
  if description is None:
    raise ValueError(
      f"init_from: there is no model.json in {config.init_from}, which says "
      "what network the weights are of."
    )
  return description


def _fill_network(
  config: ml_collections.ConfigDict, description: Mapping[str, Any]
) -> None:
  """Fills `config.model`: name, operator, arguments, sizes of positions."""
  model = config.model
  own = {name: value for name, value in model.overrides.items() if value is not None}
  taken = {}
  if model.name in (None, description["model"]):
    model.name = description["model"]
    taken = dict(description["overrides"])
  operator = taken.pop("temporal", "default")
  model.temporal = operator if model.temporal is None else model.temporal
  model.dtype = model.dtype or taken.pop("dtype", "")
  model.remat = taken.pop("remat", False) or model.remat
  # Learned positions keep their number, whatever the clips of this run are.
  made_for = dict(zip(_SIZES, description["clip_shape"], strict=False))
  for size in _SIZES:
    known = made_for[size] if config.init_from else 0
    model[size] = model[size] or description["overrides"].get(size, known)
    taken.pop(size, None)
  taken.pop("dtype", None)
  _drop_positions(config, taken)
  model.overrides = ml_collections.ConfigDict({**taken, **own})


def _drop_positions(config: ml_collections.ConfigDict, taken: dict[str, Any]) -> None:
  """Drops arguments that follow from the sizes the positions are made for.

  Raises:
    ValueError: If they follow from other sizes.
  """
  sizes = {size: config.model[size] or None for size in _SIZES}
  network = models.create_model(config.model.name, num_classes=1, **taken)
  for name, value in network.arguments_for(**sizes).items():
    if name in taken and taken.pop(name) != value:
      raise ValueError(
        f"the weights of {config.init_from} have another {name} than clips "
        f"{sizes} need: set config.model.num_frames and "
        "config.model.image_size."
      )


def _fill_clips(
  config: ml_collections.ConfigDict, description: Mapping[str, Any]
) -> None:
  """Fills `config.data`: size of clips and statistics of pixels."""
  clips = config.data
  frames, side = description["clip_shape"][:2]
  # What a run is tested with may be larger than what it was trained with.
  trained = description.get("trained_with") or {
    "num_frames": frames,
    "image_size": side,
    "short_side": _SHORT_SIDE * side,
  }
  for name in _SIZES:
    clips[name] = clips[name] or trained[name]
  if clips.short_side is None:
    scale = clips.image_size / trained["image_size"]
    clips.short_side = round(scale * trained["short_side"])
  statistics = description.get("pixels") or {}
  clips.pixel_mean = tuple(clips.pixel_mean or statistics.get("mean", ()))
  clips.pixel_std = tuple(clips.pixel_std or statistics.get("std", ()))


def _operator_leaves(
  config: ml_collections.ConfigDict,
  parts: Parts,
  description: Mapping[str, Any],
  loaded: Any,
) -> Collection[str]:
  """Returns the leaves of the temporal operators, where the two differ.

  {} where they are the same, or it is not known which the weights have.
  """
  if not description:
    return set()
  name, overrides = description["model"], dict(description["overrides"])
  theirs = overrides.pop("temporal", "default")
  if _operator(name, theirs) == _operator(config.model.name, config.model.temporal):
    return set()
  overrides.pop("dtype", None)
  without = models.create_model(
    name,
    num_classes=description["num_classes"],
    temporal="none",
    **overrides,
  )
  plain = training.variable_shapes(without, (1, *description["clip_shape"]))
  own = parts.shapes.params, parts.shapes.batch_stats
  own_plain = training.variable_shapes(
    create_network(_without_operator(config), parts.classes),
    clip_shape(config),
  )
  return (_names(loaded) - _names(plain)) | (
    _names(dict(zip(("params", "batch_stats"), own, strict=True))) - _names(own_plain)
  )


def _operator(name: str, temporal: str) -> str:
  """Returns the name of the operator in a network of the catalog."""
  if temporal == "default":
    return models.find_model(name).temporal
  return temporal


def _without_operator(
  config: ml_collections.ConfigDict,
) -> ml_collections.ConfigDict:
  config = config.copy_and_resolve_references()
  config.model.temporal = "none"
  return config


def _names(variables: Any) -> set[str]:
  return set(traverse_util.flatten_dict(variables, sep="/"))
