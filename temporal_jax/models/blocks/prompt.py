"""Video-specific prompts: texts attend to the video (X-CLIP, ILA)."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers import CrossAttention, LayerNorm, LayerScale, Mlp
from temporal_jax.ops import shape_checks

_KERNEL_INIT = nn.initializers.normal(0.02)


class VideoSpecificPrompt(nn.Module):
  """Offset of the texts' features, given a video.

  Attributes:
    num_layers: Layers of attention to the video.
    head_width: Channels of an attention head.
    alpha: First value of the result's learned factors.
    dtype: Dtype of the computation.

  Source: Ni et al. 2022, https://arxiv.org/abs/2208.02816; class
    `VideoSpecificPrompt` in X-CLIP/models/prompt.py of microsoft/VideoX and
    models/prompt.py of Francis-Rings/ILA.
  """

  num_layers: int = 2
  head_width: int = 64
  alpha: float = 0.1
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, text: jax.Array, video: jax.Array) -> jax.Array:
    """Maps texts (B, L, D) and the video's tokens (B, N, D) to (B, L, D).

    Raises:
      ValueError: If `head_width` does not divide D or the widths differ.
    """
    width = text.shape[-1]
    shape_checks.whole(1, head_width=self.head_width)
    if width % self.head_width or video.shape[-1] != width:
      raise ValueError(
        f"text and video must have one width, a multiple of {self.head_width}, "
        f"got {text.shape} and {video.shape}."
      )
    video = LayerNorm(dtype=self.dtype, name="norm")(video)
    text = text.astype(self.dtype)
    for i in range(self.num_layers):
      text = _PromptLayer(
        width // self.head_width, dtype=self.dtype, name=f"layer{i + 1}"
      )(text, video)
    return LayerScale(self.alpha, name="scale")(text)


class _PromptLayer(nn.Module):
  """Attention to the video and MLP, each after a norm and with a residual.

  Attributes:
    num_heads: Heads of the attention.
    dtype: Dtype of the computation.
  """

  num_heads: int
  dtype: jax.typing.DTypeLike

  @nn.compact
  def __call__(self, text: jax.Array, video: jax.Array) -> jax.Array:
    """Maps texts (B, L, D) and normalised tokens (B, N, D) to (B, L, D)."""
    attend = CrossAttention(
      self.num_heads,
      qkv_bias=False,
      kernel_init=_KERNEL_INIT,
      dtype=self.dtype,
      name="attention",
    )
    text = text + attend(self._norm("norm1")(text), video)
    mlp = Mlp(
      4 * text.shape[-1],
      activation=ops.quick_gelu,
      kernel_init=_KERNEL_INIT,
      dtype=self.dtype,
      name="mlp",
    )
    return text + mlp(self._norm("norm2")(text))

  def _norm(self, name: str) -> LayerNorm:
    return LayerNorm(dtype=self.dtype, name=name)
