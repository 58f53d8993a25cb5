"""Grad-CAM over space and time: places that speak for a class."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize.layer_choice import (
  as_maps,
  choose_layer,
  map_outputs,
  map_shapes,
  patch_grid,
)
from temporal_jax.inference.visualize.record_modules import record
from temporal_jax.inference.visualize.scale_maps import over_time, scaled
from temporal_jax.validation import check_choice


def create_grad_cam(
  saved: SavedModel, *, layer: str | None = None, task: str | None = None
) -> Callable[..., jax.Array]:
  """Returns `grad_cam(variables, clip, label=None) -> maps`, a pure function.

  With the features A of a layer and the logit y of a class,

  map = relu(sum_c a_c A_c), a_c = mean over t, i and j of dy / dA[t, i, j, c],

  divided by its largest value in the clip, so that frames can be compared. The
  weights a are for the whole clip.

  It takes variables as `prepare_variables` returns them, a clip (T, H, W, 3)
  uint8, and the number of the class, which may be traced; None for the one that
  is predicted. Maps are (T, h, w) float32 in [0, 1].

  Args:
    saved: The network.
    layer: Name of the layer; by default the last maps that the logits depend
      on, in a transformer the norm before the last attention.
    task: Name of the task, if there are several.

  Source: Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391, equations 1
    and 2.
  """

  def grad_cam(
    variables: Mapping[str, Any],
    clip: jax.Array,
    label: int | jax.Array | None = None,
  ) -> jax.Array:
    shapes = map_shapes(saved, variables, clip)
    name = choose_layer(shapes, layer, saved.network.visual_layers().gradients)

    def score(offset):
      recording = record(saved, variables, clip, offsets={name: offset})
      logits = _of_task(recording.logits, task)[0]
      place = jnp.argmax(logits) if label is None else label
      return logits[place], map_outputs(saved, recording, clip)[name]

    nothing = jnp.zeros(shapes[name].shape, shapes[name].dtype)
    gradient, features = jax.grad(score, has_aux=True)(nothing)
    gradient, features = (
      as_maps(values, patch_grid(saved, clip)).astype(jnp.float32)
      for values in (gradient, features)
    )
    weights = jnp.mean(gradient, axis=(0, 1, 2))
    maps = jax.nn.relu(jnp.einsum("thwc,c->thw", features, weights))
    return over_time(scaled(maps), len(clip))

  return grad_cam


def _of_task(
  logits: jax.Array | Mapping[str, jax.Array], task: str | None
) -> jax.Array:
  """Returns the logits (1, L) of one task."""
  if not isinstance(logits, Mapping):
    return logits
  check_choice("task", task, logits)
  return logits[task]
