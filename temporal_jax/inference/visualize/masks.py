"""What ILA aligns: the masks of the frames, and the points they lie around."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from temporal_jax import layers, ops
from temporal_jax.inference.saved_model import SavedModel
from temporal_jax.inference.visualize.layers import choose_layer
from temporal_jax.inference.visualize.offers import refuse
from temporal_jax.inference.visualize.recording import calls_of, record

MapFunction = Callable[[Mapping[str, Any], jax.Array], jax.Array]


def create_masks(saved: SavedModel, *, layer: str | None = None) -> MapFunction:
  """Returns `masks(variables, clip) -> maps`, a pure function.

  A frame lies in two pairs, with the frame before and with that after; its map
  is the mean of its two masks, as the network merges them. It takes variables
  as `prepare_variables` returns them and a clip (T, H, W, 3) uint8; maps are
  (T, h, w) float32 in [0, 1].

  Args:
    saved: The network.
    layer: Name of the alignment, "block1/attention_branch"; the last by
      default.
  """

  def masks(variables: Mapping[str, Any], clip: jax.Array) -> jax.Array:
    pairs = _aux(saved, variables, clip, layer)["masks"]
    return ops.merge_pairs(pairs[:, :, 0], pairs[:, :, 1])[0, : len(clip)]

  return masks


def create_points(
  saved: SavedModel, *, layer: str | None = None
) -> MapFunction:
  """Returns `points(variables, clip) -> points`, a pure function.

  The points (T, 2, 2) float32 are the middles of each frame's two masks, in the
  pair with the frame before and in that with the frame after, x before y in
  [-1, 1]; NaN where there is no such pair. It takes what `create_masks` does.

  Args:
    saved: The network.
    layer: As of `create_masks`.
  """

  def points(variables: Mapping[str, Any], clip: jax.Array) -> jax.Array:
    pairs = _aux(saved, variables, clip, layer)["points"][0]
    missing = jnp.full((1, 2), jnp.nan, pairs.dtype)
    before = jnp.concatenate([missing, pairs[:, 1]])
    after = jnp.concatenate([pairs[:, 0], missing])
    return jnp.stack([before, after], axis=1)[: len(clip)]

  return points


def _aux(
  saved: SavedModel,
  variables: Mapping[str, Any],
  clip: jax.Array,
  layer: str | None,
) -> dict[str, jax.Array]:
  """Returns what an alignment says of the pairs of frames."""
  calls = record(saved, variables, clip).calls
  found = calls_of(calls, layers.LearnableAlignment)
  if not found:
    refuse(saved, calls, "masks of alignment (ILA)")
  _, aux = found[choose_layer(found, layer, (r".*",))].output
  return aux
