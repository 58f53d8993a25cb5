"""Vision transformer over the frames of a clip, with temporal slots."""

from collections.abc import Callable, Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers import LayerNorm
from temporal_jax.models.blocks import (
  heads,
  positions,
  token_embedding,
  transformer,
)
from temporal_jax.models.blocks.attention_pooling import (
  AttentionPooling,
  AttentivePooling,
)
from temporal_jax.models.blocks.remat import apply_block
from temporal_jax.models.blocks.transformer import TransformerBlock
from temporal_jax.models.network import Network, ParameterGroups, VisualLayers
from temporal_jax.models.slots import Temporal, adapt
from temporal_jax.ops import shape_checks
from temporal_jax.ops.activations import Activation, find_activation
from temporal_jax.ops.lowering.join_axes import join_axes


class VisionTransformer(Network):
  """ViT on every frame, or tubelet; a head makes the clip's logits of these.

  Attributes:
    num_classes: Outputs of the classifier, L, or a dict with one number per
      task, e.g. {"verb": 97, "noun": 300}; None for only features.
    patch_size: Side of a patch, in pixels.
    width: Channels of a token, D.
    depth: Number of blocks.
    num_heads: Heads of the attention.
    activation: Function inside the MLPs, or its name: "gelu" (exact) or
      "quick_gelu" (OpenAI's CLIP).
    epsilon: Added to the variance in the norms.
    patch_bias: Whether the patch embedding has a bias.
    pre_norm: Whether a norm precedes the first block (CLIP).
    projection: Width that a matrix without bias projects the class token to,
      after the last norm (CLIP); None for no projection.
    projection_bias: Whether that projection has a bias (EVA-02-CLIP).
    representation: Width of a dense layer with tanh after the last norm, as it
      was in pre-training on ImageNet-21k; None for no such layer.
    pooling: Features of a frame: "class", its class token; "mean", the mean of
      its patches (VideoMAE); "class_and_mean", both (the linear classifier
      of DINOv2); or "attention", a learned query's answer from all tokens
      (SigLIP), see `AttentionPooling`. "attentive" is a part of the
      classifier: one feature of the clip, of blocks over the tokens of all
      frames and such a query (V-JEPA 2), see `AttentivePooling`; without
      classes it is "mean".
    pooling_heads: Heads of "attention" and "attentive"; None for `num_heads`.
    tubelet: Frames that a patch spans, and frames from one to the next. An odd
      number is around its middle, an even number begins there.
    has_class_token: Whether every frame has a class token.
    shared_class_token: Whether it is the clip's, of which every frame has a
      copy, instead of its own (TimeSformer, ViViT).
    num_registers: Further learned tokens of every frame, without a position or
      a use of their own (DINOv2 with registers).
    positions: Positions of the patches: "learned" for a frame; "clip", learned
      for a whole clip (ViViT); "sine", fixed sines of their number in the clip
      (VideoMAE); or "none" where the attention of `block` has rotary ones, for
      joint attention of the kind of `ops.space_time_rotary_embedding`.
    grid: Rows and columns of the learned positions; other grids of patches get
      them resized bicubically.
    antialias: Whether a smaller grid gets them smoothed.
    num_temporal_positions: Frames, or tubelets, with a learned position; 0 for
      none. It adds to the position in the frame; of a clip, T of its positions.
    longer_clips: Handling of clips with other numbers of frames: "interpolate"
      the positions linearly, or "repeat" them, as X-ViT's reference does.
    average_first: Whether the last norm follows the average of the frames'
      class tokens, or of all patches, of which the head then sees one
      (TAdaFormer, VideoMAE), instead of norming every frame's.
    last_epsilon: As `epsilon`, in the last norm; None for the same.
    head: Name in `heads.HEADS`, or a factory like those: how the frames'
      features become logits; by default TSN's average of their logits.
    head_dropout: Rate on the frames' features before the head.
    drop_path: Rate of stochastic depth in the last block; it grows linearly.
    dropout: Rate after the embeddings and in the MLPs.
    mlp_ratio: Width of the MLPs divided by `width`; None for that of `block`, 4
      in `TransformerBlock`.
    block: Class of the blocks, or a partial of `TransformerBlock` with common
      arguments of all blocks that are no arguments here.
    temporal: Layers in the blocks' temporal slots; the stage is 0.
    remat: Whether the blocks' results are computed again for the gradients
      instead of being kept.
    dtype: Dtype of the computation; parameters and logits stay float32.

  Source: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929; in CLIP's
    form Radford et al. 2021, https://arxiv.org/abs/2103.00020, class
    `VisionTransformer` in clip/model.py of openai/CLIP; in EVA-02's form Fang
    et al. 2023, https://arxiv.org/abs/2303.11331; with space-time mixing
    in `keys_values`, Bulat et al. 2021, https://arxiv.org/abs/2106.05968, class
    `VisionTransformer` in slowfast/models/transformers/vit.py of
    1adrianb/video-transformers; for its tokens see
    `token_embedding.embed`.
  """

  num_classes: int | Mapping[str, int] | None
  patch_size: int = 16
  width: int = 768
  depth: int = 12
  num_heads: int = 12
  activation: str | Activation = "gelu"
  epsilon: float = 1e-6
  patch_bias: bool = True
  pre_norm: bool = False
  projection: int | None = None
  projection_bias: bool = False
  representation: int | None = None
  pooling: str = "class"
  pooling_heads: int | None = None
  tubelet: tuple[int, int] = (1, 1)
  has_class_token: bool = True
  shared_class_token: bool = False
  num_registers: int = 0
  positions: str = "learned"
  grid: int = 14
  antialias: bool = False
  num_temporal_positions: int = 0
  longer_clips: str = "interpolate"
  average_first: bool = False
  last_epsilon: float | None = None
  head: str | heads.Factory = "average"
  head_dropout: float = 0.0
  drop_path: float = 0.0
  dropout: float = 0.0
  mlp_ratio: float | None = None
  block: Callable[..., TransformerBlock] = TransformerBlock
  temporal: Temporal = Temporal()
  remat: bool = False
  dtype: jax.typing.DTypeLike = jnp.float32

  SLOTS = TransformerBlock.SLOTS

  def __post_init__(self) -> None:
    super().__post_init__()
    heads.resolve(self.head)  # An unknown name raises.
    find_activation(self.activation)  # Likewise.
    self.temporal.check("VisionTransformer", self.SLOTS)
    if self.longer_clips not in positions.LONGER_CLIPS:
      raise ValueError(
        f"longer_clips must be in {positions.LONGER_CLIPS}, got {self.longer_clips!r}."
      )
    token_embedding.check(self)

  @nn.nowrap
  def is_framewise(self) -> bool:
    """Returns whether patches, positions and norms are a frame's own."""
    own = max(self.tubelet) == 1 and not self.num_temporal_positions
    own = own and not self.shared_class_token and self.positions in ("learned", "none")
    own = own and not self.average_first and self.pooling != "attentive"
    return own and heads.averages_logits(self.head)

  @nn.nowrap
  def arguments_for(
    self, *, num_frames: int | None, image_size: int | None
  ) -> dict[str, int]:
    """Returns the positions that clips need, see `Network.arguments_for`."""
    fitted = {}
    if image_size is not None:
      fitted["grid"] = positions.grid_side(image_size, self.patch_size)
    # As many as published where longer clips repeat them.
    is_fixed = self.longer_clips == "repeat" or not self.num_temporal_positions
    if num_frames is not None and not is_fixed:
      fitted["num_temporal_positions"] = positions.count_tubelets(
        num_frames, self.tubelet
      )
    return fitted

  @nn.nowrap
  def parameter_groups(self) -> ParameterGroups:
    """Returns the groups of the blocks, see `Network`."""
    return transformer.parameter_groups()

  @nn.nowrap
  def visual_layers(self) -> VisualLayers:
    """Returns the blocks and their attention, see `Network`."""
    layers = transformer.visual_layers()
    # Rollout begins with class tokens.
    return layers if self.pooling == "class" else layers._replace(attention="")

  @nn.compact
  def __call__(self, clip: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Classifies clips.

    Args:
      clip: Normalised frames (B, T, H, W, 3), floating point; `patch_size`
        divides H and W.
      train: Whether anything is dropped.

    Returns:
      Logits (B, L), float32, a dict of them for several tasks, or without
      classes the features (B, D), and aux: "features" (B, D), "frame_features"
      (B, T, D), of which they are the mean unless the head aggregates them, or
      (B, 1, D) where one feature is the clip's,
      "tokens" (B, T, N, D) after the last block, without registers,
      "class_tokens" (B, T, D) after the last norm, if the head reads them, the
      head's outputs, e.g. "frame_logits" (B, T, L), the temporal modules'
      outputs, under "block{i}", and "alignment_loss", their sum over the
      blocks, if these align.

    Raises:
      ValueError: If `clip` is not floating point of rank 5, or the patches do
        not divide it.
    """
    shape_checks.video(clip)
    x, grid = token_embedding.embed(self, clip.astype(self.dtype))
    x = nn.Dropout(self.dropout, deterministic=not train)(x)
    if self.pre_norm:
      x = self._norm("pre_norm")(x)
    aux = {}
    for index in range(self.depth):
      name = f"block{index + 1}"
      block = self._block(index, name)
      x, block_aux = apply_block(block, x, train, remat=self.remat, grid=grid)
      if block_aux:
        aux[name] = block_aux
    losses = [b["alignment_loss"] for b in aux.values() if "alignment_loss" in b]
    if losses:
      aux["alignment_loss"] = sum(losses)
    x = x[:, :, : x.shape[2] - self.num_registers]
    pooled = self._pool(x, train)
    frames = self._project(pooled).astype(jnp.float32)
    aux["tokens"] = x
    if self.pooling == "class":
      aux["class_tokens"] = pooled
    if self.num_classes is None:
      features = jnp.mean(frames, axis=1)
      return features, {
        **aux,
        "features": features,
        "frame_features": frames,
      }
    head_width = max(self.width // self.num_heads, 1)
    head = adapt(
      heads.resolve(self.head),
      num_heads=frames.shape[-1] // head_width,
      activation=self.activation,
      epsilon=self.epsilon,
    )
    logits, head_aux = heads.classify(
      frames,
      self.num_classes,
      head=head,
      dropout=self.head_dropout,
      train=train,
    )
    return logits, aux | head_aux

  def _norm(self, name: str, epsilon: float | None = None) -> LayerNorm:
    epsilon = self.epsilon if epsilon is None else epsilon
    return LayerNorm(epsilon=epsilon, dtype=self.dtype, name=name)

  def _pool(self, x: jax.Array, train: bool) -> jax.Array:
    """Returns normed features of frames, (B, T, D), or of all, (B, 1, D)."""
    norm = self._norm("norm", self.last_epsilon)
    first = int(self.has_class_token)
    if self.average_first:
      own = self.pooling == "class"
      frames = x[:, :, 0] if own else jnp.mean(x[:, :, first:], axis=2)
      return norm(ops.average_consensus(frames)[:, None])
    if self.pooling == "class":
      return norm(x[:, :, 0])
    x = norm(x)
    heads = shape_checks.given_or(self.num_heads, pooling_heads=self.pooling_heads)
    if self.pooling == "attention":
      # As wide as that of the blocks.
      ratio = self.mlp_ratio
      if ratio is None:
        ratio = self.block(self.num_heads, parent=None).mlp_ratio
      return AttentionPooling(
        heads,
        int(ratio * self.width),
        activation=self.activation,
        epsilon=self.epsilon,
        dtype=self.dtype,
        name="pooling",
      )(x)
    if self.pooling == "attentive" and self.num_classes is not None:
      pool = AttentivePooling(
        heads,
        activation=self.activation,
        epsilon=self.epsilon,
        remat=self.remat,
        dtype=self.dtype,
        name="pooling",
      )
      return pool(join_axes(x, 1, -1), train)[:, None]
    mean = jnp.mean(x[:, :, first:], axis=2)
    if self.pooling in ("mean", "attentive"):
      return mean
    return jnp.concatenate([x[:, :, 0], mean], axis=-1)

  def _project(self, x: jax.Array) -> jax.Array:
    """Applies the layers between the last norm and the classifier."""
    if self.representation is not None:
      dense = nn.Dense(self.representation, dtype=self.dtype, name="representation")
      x = jnp.tanh(dense(x))
    if self.projection is None:
      return x
    return nn.Dense(
      self.projection,
      use_bias=self.projection_bias,
      dtype=self.dtype,
      name="projection",
    )(x)

  def _block(self, index: int, name: str) -> TransformerBlock:
    last = max(self.depth - 1, 1)
    own = {} if self.mlp_ratio is None else {"mlp_ratio": self.mlp_ratio}
    return self.block(
      self.num_heads,
      activation=self.activation,
      epsilon=self.epsilon,
      drop_path=self.drop_path * index / last,
      dropout=self.dropout,
      has_class_token=self.has_class_token,
      shared_class_token=self.shared_class_token,
      num_registers=self.num_registers,
      temporal=self.temporal.at(0, index),
      dtype=self.dtype,
      name=name,
      **own,
    )
