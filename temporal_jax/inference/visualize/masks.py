"""ILA's masks of the frames, and their centres."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from temporal_jax import layers, ops
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize.layer_choice import choose_layer
from temporal_jax.inference.visualize.record_kind import record_kind
from temporal_jax.inference.visualize.record_modules import Call


def create_alignment(
  saved: SavedModel, *, layer: str | None = None
) -> Callable[[Mapping[str, Any], jax.Array], dict[str, jax.Array]]:
  """Returns `alignment(variables, clip) -> {"masks", "points"}`, pure.

  A frame is in two pairs, with the frame before it and the frame after it. Its
  map in "masks" (T, h, w) float32, in [0, 1], is the mean of its two masks, as
  the network merges them. "points" (T, 2, 2) float32 are the middles of these
  two, the earlier pair's first, x before y in [-1, 1]; NaN where there is no
  pair.

  It takes variables as `prepare_variables` returns them and a clip
  (T, H, W, 3) uint8.

  Args:
    saved: The network.
    layer: Name of the alignment, "block1/attention_branch"; the last by
      default.
  """

  def alignment(variables: Mapping[str, Any], clip: jax.Array) -> dict[str, jax.Array]:
    _, call = _aligned(saved, variables, clip, layer)
    _, pairs = call.output
    masks, points = pairs["masks"], pairs["points"][0]
    merged = ops.merge_pairs(masks[:, :, 0], masks[:, :, 1])[0]
    missing = jnp.full((1, 2), jnp.nan, points.dtype)
    before = jnp.concatenate([missing, points[:, 1]])
    after = jnp.concatenate([points[:, 0], missing])
    return {
      "masks": merged[: len(clip)],
      "points": jnp.stack([before, after], axis=1)[: len(clip)],
    }

  return alignment


def find_alignment(
  saved: SavedModel,
  variables: Mapping[str, Any],
  clip: jax.Array,
  layer: str | None,
) -> str:
  """Returns the name of the alignment that `create_alignment` shows.

  Nothing is computed.

  Raises:
    ValueError: If there is none, or none of that name.
  """
  names = []

  def find(variables, clip):
    name, _ = _aligned(saved, variables, clip, layer)
    names.append(name)

  jax.eval_shape(find, variables, clip)
  return names[0]


def _aligned(
  saved: SavedModel,
  variables: Mapping[str, Any],
  clip: jax.Array,
  layer: str | None,
) -> tuple[str, Call]:
  """Returns the name and the call of an alignment."""
  _, found = record_kind(
    saved, variables, clip, layers.LearnableAlignment, "masks of alignment (ILA)"
  )
  name = choose_layer(found, layer, (r".*",))
  return name, found[name]
