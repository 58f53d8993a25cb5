"""Maps of a layer's features: how strongly each place responds."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize.layer_choice import (
  as_maps,
  choose_layer,
  map_outputs,
  patch_grid,
)
from temporal_jax.inference.visualize.record_modules import record
from temporal_jax.inference.visualize.scale_maps import over_time, stretched


def create_features(
  saved: SavedModel, *, layer: str | None = None
) -> Callable[[Mapping[str, Any], jax.Array], jax.Array]:
  """Returns `features(variables, clip) -> maps`, a pure function.

  A map is the mean of |activation| over the channels, brought to [0, 1] by its
  smallest and its largest value in the clip. It takes variables as
  `prepare_variables` returns them and a clip (T, H, W, 3) uint8; maps are
  (T, h, w) float32.

  Args:
    saved: The network.
    layer: Name of the layer; the last block by default.

  Source: as figures 1 and 2 of the supplement of Tu et al. 2023,
    https://arxiv.org/abs/2304.10465.
  """

  def features(variables: Mapping[str, Any], clip: jax.Array) -> jax.Array:
    recording = record(saved, variables, clip)
    outputs = map_outputs(saved, recording, clip)
    name = choose_layer(outputs, layer, saved.network.visual_layers().features)
    values = as_maps(outputs[name], patch_grid(saved, clip))
    sizes = jnp.mean(jnp.abs(values.astype(jnp.float32)), axis=-1)
    return over_time(stretched(sizes), len(clip))

  return features
