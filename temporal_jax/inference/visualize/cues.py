"""ATM's cues: the arithmetic between frames, as maps."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax import layers
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize.record_kind import record_kind
from temporal_jax.inference.visualize.scale_maps import over_time, scaled


def create_cues(
  saved: SavedModel,
) -> Callable[[Mapping[str, Any], jax.Array], dict[str, jax.Array]]:
  """Returns `cues(variables, clip) -> {layer: maps}`, a pure function.

  A map is the mean of |cue| over the channels and over the contexts of the
  frame that are in the clip, except for the frame itself, divided by its
  largest value in the clip. Where nothing moves, the maps of "difference" and
  "log_ratio" are zero; "correlation" is the encoding of the windows of
  similarities.

  It takes variables as `prepare_variables` returns them and a clip
  (T, H, W, 3) uint8; maps are (T, h, w) float32 in [0, 1], by the name of the
  layer, which ends in the operation.

  Args:
    saved: The network.
  """

  def cues(variables: Mapping[str, Any], clip: jax.Array) -> dict[str, jax.Array]:
    calls, found = record_kind(
      saved, variables, clip, layers.ArithmeticCue, "cues of arithmetic (ATM)"
    )
    maps = {}
    for name in found:
      # Input of the transformation back to features.
      cue = calls[f"{name}/transformation"][-1].args[0]
      maps[name] = over_time(scaled(_magnitude(cue[0])), len(clip))
    return maps

  return cues


def _magnitude(cue: jax.Array) -> jax.Array:
  """Returns the mean magnitude (T, h, w) of cues (T, L, h, w, C)."""
  frames, length = cue.shape[:2]
  others = np.arange(length) - length // 2
  there = np.arange(frames)[:, None] + others
  counted = (there >= 0) & (there < frames)
  if length > 1:
    counted &= others != 0
  weights = counted / np.maximum(counted.sum(axis=1, keepdims=True), 1)
  sizes = jnp.mean(jnp.abs(cue.astype(jnp.float32)), axis=-1)
  return jnp.einsum("tl,tlhw->thw", jnp.asarray(weights, jnp.float32), sizes)
