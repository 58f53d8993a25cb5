"""Calibrations of TAdaConv's kernels, frame by frame."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from temporal_jax import layers
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize.record_kind import record_kind


def create_calibrations(
  saved: SavedModel,
) -> Callable[[Mapping[str, Any], jax.Array], dict[str, jax.Array]]:
  """Returns `calibrations(variables, clip) -> {layer: factors}`, pure.

  The factors (T', n) float32 multiply a layer's n calibrated channels, or taps,
  at each of its frames; 1 changes nothing. It takes variables as
  `prepare_variables` returns them and a clip (T, H, W, 3) uint8.

  Args:
    saved: The network.
  """

  def calibrations(
    variables: Mapping[str, Any], clip: jax.Array
  ) -> dict[str, jax.Array]:
    _, found = record_kind(
      saved, variables, clip, layers.AdaptiveConv, "calibration (TAdaConv)"
    )
    return {
      name: _factors(call.output[1]["calibration"]) for name, call in found.items()
    }

  return calibrations


def _factors(calibration: jax.Array) -> jax.Array:
  """Returns the factors of one clip (1, T', ...) as (T', n)."""
  frames = calibration.shape[1]
  return calibration[0].reshape(frames, -1).astype(jnp.float32)
