"""Networks of the catalog that tensors may be for, by their shapes."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

import temporal_jax
from convert_weights.checkpoint_format import NOTHING, CheckpointFormat
from convert_weights.planning.conversion_plan import Shapes
from convert_weights.planning.mapping import map_tensors
from temporal_jax import models
from temporal_jax.models.network import Network


def clip_shape(
  model_name: str, overrides: Mapping[str, Any], channels: int
) -> tuple[int, int, int, int]:
  """Returns (T, H, W, C) of the clips a network is built for."""
  frames, height, width = models.find_model(model_name).clip_shape
  side = overrides.get("image_size")
  frames = overrides.get("num_frames") or frames
  return frames, side or height, side or width, channels


def build_network(
  model_name: str,
  shape: tuple[int, int, int, int],
  *,
  num_classes: int | Mapping[str, int] | None,
  **overrides: Any,
) -> tuple[Network, Shapes] | None:
  """Returns a network and its variables, as shapes.

  Returns None if it ends with a classifier and `num_classes` is None.
  """
  clip = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
  try:
    network = temporal_jax.create_model(
      model_name, num_classes=num_classes, **overrides
    )
    return network, jax.eval_shape(network.init, jax.random.key(0), clip)
  except (TypeError, ValueError):
    if num_classes is not None:
      raise
    return None


def fitting_arguments(
  name: str,
  tensors: Mapping[str, Any],
  source: CheckpointFormat,
  form: Mapping[str, Any] = NOTHING,
) -> dict[str, Any] | None:
  """Returns the form and all that the tensors show, as fast as possible.

  Returns None if more than the classifier does not fit.
  """
  try:
    network = temporal_jax.create_model(name, num_classes=1, **form)
  except (TypeError, ValueError):  # The form is another class's.
    return None
  if not source.takes(network):
    return None
  shown = source.shown(network, tensors)
  arguments = {**{key: one.value for key, one in shown.items()}, **form}
  shape = clip_shape(name, form, channels=3)
  network, target = build_network(name, shape, num_classes=1, **arguments)
  mapping = map_tensors(
    source.rules(network), tensors, target, skip=source.skip, new=source.new
  )
  fits = any(
    all(part in problem for problem in mapping.problems)
    for part in ("params/head/", "params/classifier/")
  )
  return arguments if fits else None
