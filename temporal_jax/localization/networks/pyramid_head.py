"""The same convolutions for all levels of a pyramid."""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax import layers
from temporal_jax.layers.initializers import torch_default
from temporal_jax.ops.lowering.accumulation_dtype import widen
from temporal_jax.ops.lowering.broadcast_channels import along_channels


class PyramidHead(nn.Module):
  """Convolutions with norms and a last one, for all levels the same.

  Levels are one sequence with gaps of zeros between them: one product in place
  of one for each level, and fewer to compile.

  Attributes:
    features: Output channels.
    width: Channels inside.
    num_layers: Number of convolutions.
    taps: Positions that a convolution sees, odd.
    bias_init: Initialiser of the last bias.
    dtype: Dtype of the computation.

  Source: classes `PtTransformerClsHead` and `PtTransformerRegHead` in
    libs/modeling/meta_archs.py of happyharrycn/actionformer_release.
  """

  features: int
  width: int
  num_layers: int = 3
  taps: int = 3
  bias_init: nn.initializers.Initializer = nn.initializers.zeros
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, levels: Sequence[tuple[jax.Array, jax.Array]]) -> list[jax.Array]:
    """Maps features (B, T_l, C) of each level, with their masks (B, T_l).

    Returns:
      (B, T_l, features) of each level, float32 and zero outside of its mask.
    """
    gap = self.taps // 2
    ends = np.cumsum([x.shape[1] + gap for x, _ in levels])
    inside = np.ones((1, ends[-1], 1), bool)
    for place in range(1, gap + 1):
      inside[:, ends - place] = False
    x = jnp.concatenate([_with_gap(x, gap) for x, _ in levels], axis=1)
    mask = jnp.concatenate([_with_gap(m[:, :, None], gap) for _, m in levels], axis=1)
    settings = {"use_bias": False, "kernel_init": torch_default(), "dtype": self.dtype}
    for layer in range(1, self.num_layers):
      name = f"layer{layer}"
      x = layers.TemporalConv(self.width, self.taps, name=name, **settings)(x)
      norm = layers.LayerNorm(dtype=self.dtype, name=f"{name}_norm")
      x = jax.nn.relu(norm(x * mask.astype(x.dtype)))
      x *= jnp.asarray(inside, x.dtype)  # Padding in a level is seen, gaps not.
    x = widen(layers.TemporalConv(self.features, self.taps, name="last", **settings)(x))
    bias = self.param("bias", self.bias_init, (self.features,), jnp.float32)
    x = (x + along_channels(bias, x)) * mask.astype(x.dtype)
    starts = [0, *ends[:-1]]
    return [
      x[:, start : start + level.shape[1]]
      for start, (level, _) in zip(starts, levels, strict=True)
    ]


def _with_gap(x: jax.Array, gap: int) -> jax.Array:
  """Returns (B, T, C) with zeros after it, or False."""
  return jnp.pad(x, ((0, 0), (0, gap), (0, 0)))
