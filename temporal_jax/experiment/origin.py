"""Takes network, clips and pixels over from the weights' model.json."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import ml_collections
from absl import logging

from temporal_jax import inference, models
from temporal_jax.models.network import Network
from temporal_jax.saved_networks.description import DESCRIPTION

# Arguments that no parameter's shape shows, and that a run may change.
_UNSEEN = ("slow_sampling",)
_SIZES = ("num_frames", "image_size")
_SHORT_SIDE = 8 / 7  # Over the image size, where weights do not say: 256 for 224.


def complete(
  config: ml_collections.ConfigDict,
  earlier: Mapping[str, Any] | None = None,
) -> ml_collections.ConfigDict:
  """Fills the fields that are None as the weights of `init_from` have them.

  Only for configs with `from_scratch`, which is used where there are no weights
  and no `model.name`. Arguments of the network are taken over where the config
  gives no other `model.name`; those that it gives itself stay.

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
  if config.model.name and not (earlier or config.init_from):
    description = {**description, "overrides": {}}  # Whoever names it gets it.
  with config.unlocked():
    _fill_network(config, description)
    _fill_clips(config, description)
  return config


def check_origin(model: Network, init_from: str, channels: int) -> None:
  """Raises ValueError if weights are of another activation or other channels.

  Nothing in the parameters' shapes would show the activation. Other frames of
  the slow pathway are named in a warning. Operators are not compared: many runs
  train weights with another one.

  Args:
    model: The network of the run.
    channels: Channels of the run's frames.
    init_from: Directory of the weights; "" or one without `model.json` is not
      compared.
  """
  path = pathlib.Path(init_from).expanduser() / DESCRIPTION
  if not init_from or not path.is_file():
    return
  description = json.loads(path.read_text())
  theirs = description["clip_shape"][-1]
  if theirs != channels:
    raise ValueError(
      f"the weights in {init_from} are for frames of {theirs} channels, the run's "
      f"have {channels}: convert them with --channels {channels}."
    )
  origin = models.create_model(
    description["model"],
    num_classes=description["num_classes"],
    **description["overrides"],
  )
  for name in _UNSEEN:
    theirs, ours = (getattr(x, name, None) for x in (origin, model))
    if ours and theirs and ours != theirs:
      logging.warning(
        "the weights in %s were trained with %s %r, and the run has %r: "
        "--config.model.overrides.%s=%s takes the weights' own.",
        *(init_from, name, theirs, ours, name, theirs),
      )
  theirs, ours = (getattr(x, "activation", None) for x in (origin, model))
  if ours and theirs and ours != theirs:
    raise ValueError(
      f"the weights in {init_from} need activation {theirs!r}, the network has "
      f"{ours!r}: --config.model.activation={theirs}."
    )


def _describe_weights(config: ml_collections.ConfigDict) -> Mapping[str, Any]:
  """Returns the model.json of `init_from`; `from_scratch` without weights."""
  if not config.init_from:
    return config.from_scratch.to_dict()
  description = inference.read_description(config.init_from)
  if description is None:
    raise ValueError(
      f"init_from: there is no model.json in {config.init_from}, which names "
      "the network of the weights."
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
        f"the weights of {config.init_from} have another {name} than clips of "
        f"{sizes} need; set config.model.num_frames and config.model.image_size to "
        "the sizes that the weights were trained with."
      )


def _fill_clips(
  config: ml_collections.ConfigDict, description: Mapping[str, Any]
) -> None:
  """Fills `config.data`: size of clips and statistics of pixels."""
  clips = config.data
  frames, side = description["clip_shape"][:2]
  # Test clips may be larger than the clips that a run was trained with.
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
  if clips.flow and len(statistics.get("mean", ())) == 3:
    statistics = {}  # Those for RGB, as converted weights have them.
  clips.pixel_mean = tuple(clips.pixel_mean or statistics.get("mean", ()))
  clips.pixel_std = tuple(clips.pixel_std or statistics.get("std", ()))
