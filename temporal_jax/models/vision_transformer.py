"""Vision transformer over the frames of a clip, with temporal slots."""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers import LayerNorm, PatchEmbedding
from temporal_jax.models.temporal import Temporal
from temporal_jax.models.transformer import TransformerBlock
from temporal_jax.ops import checks

exact_gelu = functools.partial(nn.gelu, approximate=False)


class VisionTransformer(nn.Module):
  """ViT on every frame; logits are averaged over time (TSN's consensus).

  Attributes:
    num_classes: Outputs of the classifier, L; None for features alone.
    patch_size: Side of a patch, in pixels.
    width: Channels of a token, D.
    depth: Number of blocks.
    num_heads: Heads of the attention.
    activation: Function inside the MLPs.
    epsilon: Added to the variance in the norms.
    patch_bias: Whether the patch embedding has a bias.
    pre_norm: Whether a norm stands before the first block (CLIP).
    projection: Width that a matrix without bias projects the class token to,
      behind the last norm (CLIP); None for no projection.
    tubelet: Frames that a patch spans, an odd number around its middle, and
      frames from one to the next.
    grid: Rows and columns of the learned positions; other grids of patches get
      them resized bicubically.
    num_temporal_positions: Frames with a learned position, 0 for none. Longer
      clips repeat them, as the reference does.
    drop_path: Rate of stochastic depth in the last block; it grows linearly.
    dropout: Rate after the embeddings and in the MLPs.
    temporal: What sits in the blocks' temporal slots; the stage is 0.
    dtype: Dtype of the computation; parameters and logits stay float32.

  Source: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929; in CLIP's
    form Radford et al. 2021, https://arxiv.org/abs/2103.00020, class
    `VisionTransformer` in clip/model.py of openai/CLIP; with space-time mixing
    in `keys_values`, Bulat et al. 2021, https://arxiv.org/abs/2106.05968, class
    `VisionTransformer` in slowfast/models/transformers/vit.py of
    1adrianb/video-transformers.
  """

  num_classes: int | None
  patch_size: int = 16
  width: int = 768
  depth: int = 12
  num_heads: int = 12
  activation: Callable[[jax.Array], jax.Array] = exact_gelu
  epsilon: float = 1e-6
  patch_bias: bool = True
  pre_norm: bool = False
  projection: int | None = None
  tubelet: tuple[int, int] = (1, 1)
  grid: int = 14
  num_temporal_positions: int = 0
  drop_path: float = 0.0
  dropout: float = 0.0
  temporal: Temporal = Temporal()
  dtype: jax.typing.DTypeLike = jnp.float32

  SLOTS = TransformerBlock.SLOTS

  def __post_init__(self) -> None:
    super().__post_init__()
    self.temporal.check("VisionTransformer", self.SLOTS)

  @nn.compact
  def __call__(
    self, clip: jax.Array, train: bool = False
  ) -> tuple[jax.Array, dict]:
    """Classifies clips.

    Args:
      clip: Normalised frames (B, T, H, W, 3), floating point; `patch_size`
        divides H and W.
      train: Whether anything is dropped.

    Returns:
      Logits (B, L), float32, or without classes the features (B, D), and aux:
      "features" (B, D), "frame_features" (B, T, D), of which they are the mean,
      "class_tokens" (B, T, D) behind the last norm and before a projection,
      "tokens" (B, T, N, D) behind the last block, with classes "frame_logits"
      (B, T, L), and what the temporal modules return, under "block{i}".

    Raises:
      ValueError: If `clip` is not floating point of rank 5, or the patches do
        not divide it.
    """
    checks.video(clip)
    x = self._embed(clip.astype(self.dtype))
    x = nn.Dropout(self.dropout, deterministic=not train)(x)
    if self.pre_norm:
      x = self._norm("pre_norm")(x)
    aux = {}
    for index in range(self.depth):
      name = f"block{index + 1}"
      x, block_aux = self._block(index, name)(x, train)
      if block_aux:
        aux[name] = block_aux
    frames = self._norm("norm")(x[:, :, 0])
    aux["class_tokens"] = frames
    if self.projection is not None:
      frames = nn.Dense(
        self.projection, use_bias=False, dtype=self.dtype, name="projection"
      )(frames)
    frames = frames.astype(jnp.float32)
    features = jnp.mean(frames, axis=1)
    aux |= {"features": features, "frame_features": frames, "tokens": x}
    if self.num_classes is None:
      return features, aux
    logits = nn.Dense(self.num_classes, name="head")(frames)
    return jnp.mean(logits, axis=1), {**aux, "frame_logits": logits}

  def _norm(self, name: str) -> LayerNorm:
    return LayerNorm(epsilon=self.epsilon, dtype=self.dtype, name=name)

  def _embed(self, clip: jax.Array) -> jax.Array:
    """Returns tokens (B, T', N, D) with their positions, class token first."""
    frames, stride = self.tubelet
    patches = PatchEmbedding(
      self.width,
      self.patch_size,
      tubelet=frames,
      temporal_stride=stride,
      temporal_padding=frames // 2,
      use_bias=self.patch_bias,
      dtype=self.dtype,
      name="patch_embedding",
    )(clip)
    batch, num_frames, rows, columns, width = patches.shape
    normal = nn.initializers.truncated_normal(0.02)
    class_token = self.param("class_token", normal, (width,))
    shape = (self.grid**2 + 1, width)
    positions = self.param("position_embedding", normal, shape)
    grid = positions[1:].reshape(self.grid, self.grid, width)
    if grid.shape[:2] != (rows, columns):
      grid = ops.resize_bicubic(grid, size=(rows, columns))
    positions = jnp.concatenate([positions[:1], grid.reshape(-1, width)])
    first = jnp.broadcast_to(class_token, (batch, num_frames, 1, width))
    patches = patches.reshape(batch, num_frames, -1, width)
    x = jnp.concatenate([first.astype(self.dtype), patches], axis=2)
    x = x + positions.astype(self.dtype)[None, None]
    if not self.num_temporal_positions:
      return x
    shape = (self.num_temporal_positions, width)
    embedding = self.param("temporal_embedding", nn.initializers.zeros, shape)
    moments = embedding[jnp.arange(num_frames) % self.num_temporal_positions]
    return x + moments.astype(self.dtype)[None, :, None]

  def _block(self, index: int, name: str) -> TransformerBlock:
    last = max(self.depth - 1, 1)
    return TransformerBlock(
      self.num_heads,
      activation=self.activation,
      epsilon=self.epsilon,
      drop_path=self.drop_path * index / last,
      dropout=self.dropout,
      temporal=self.temporal.at(0, index),
      dtype=self.dtype,
      name=name,
    )
