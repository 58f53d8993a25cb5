"""The transformer block, with temporal slots."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers import (
  DropPath,
  LayerNorm,
  LayerScale,
  Mlp,
  SelfAttention,
  SwiGlu,
)
from temporal_jax.layers.slot_tokens import hide_slots, show_slots
from temporal_jax.models.network import ParameterGroups, VisualLayers
from temporal_jax.models.slots import Factory, Temporal, apply_slot
from temporal_jax.ops.activations import Activation
from temporal_jax.ops.lowering.materialize import written_out

_BLOCK = r"(.*/)?(block|layer)\d+"
# Parameters of numbered blocks that can be split over devices, and the axes of
# their dimensions: heads and hidden units, so that a block sums over the
# devices twice, after attention and after the MLP.
# Source: Shoeybi et al. 2019, https://arxiv.org/abs/1909.08053, section 3.
_TENSOR_RULES = (
  (rf"{_BLOCK}/attention/qkv/kernel", (None, None, "tensor", None)),
  (rf"{_BLOCK}/attention/qkv/bias", (None, "tensor", None)),
  (rf"{_BLOCK}/attention/query_value_bias", (None, "tensor", None)),
  (rf"{_BLOCK}/attention/(query|key|value)/kernel", (None, "tensor", None)),
  (rf"{_BLOCK}/attention/out/kernel", ("tensor", None, None)),
  (rf"{_BLOCK}/mlp/(expand|gate)/kernel", (None, "tensor")),
  (rf"{_BLOCK}/mlp/(expand|gate)/bias", ("tensor",)),
  (rf"{_BLOCK}/mlp/norm/(scale|bias)", ("tensor",)),
  (rf"{_BLOCK}/mlp/contract/kernel", ("tensor", None)),
)


class TransformerBlock(nn.Module):
  """Attention and MLP, each after a norm and with a residual.

  Attributes:
    num_heads: Heads of the attention; None for heads of 64 channels.
    mlp_ratio: Width of the MLP divided by the tokens' width.
    activation: Function inside the MLP, or its name, see `layers.Mlp`.
    epsilon: Added to the variance in the norms.
    qkv_bias: Whether queries, keys and values have a bias.
    key_bias: Whether keys share in the bias.
    gated: Whether the MLP is a `SwiGlu`; `activation` is then not used.
    inner_norm: Whether the last projections of attention and of the gated MLP
      have a norm of their own before them (sub-norm).
    layer_scale: First factors of a `LayerScale` on the outputs of attention and
      MLP; None for none.
    rotary: Function of the rotary positions in attention, see `SelfAttention`;
      None for none.
    has_class_token: Whether a frame's first token is a class token. In the
      place of none slots see the mean of the patches.
    num_registers: Tokens of a frame after its patches; slots, except
      `attention`, do not see them.
    shared_class_token: Whether the frames' first tokens are copies of one class
      token; each then gets the mean of what attention within the frames adds.
    drop_path: Rate of stochastic depth, a clip at a time.
    dropout: Rate inside the MLP.
    temporal: Layers in the block's temporal slots.
    dtype: Dtype of the computation.

  Source: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929, equations
    2 and 3; class `ResidualAttentionBlock` in clip/model.py of openai/CLIP
    (with QuickGELU), class `Block` of timm's vision transformer (with GELU and
    epsilon 1e-6), class `Block` in eva_clip/eva_vit_model.py of whwu95/ATM
    (gated, with inner norms and rotary positions), class `Block` in
    timesformer/models/vit.py of facebookresearch/TimeSformer (with a shared
    class token), class `Block` in dinov2/layers/block.py of
    facebookresearch/dinov2 (with layer scale).
  """

  num_heads: int | None
  mlp_ratio: float = 4.0
  activation: str | Activation = "quick_gelu"
  epsilon: float = 1e-5
  qkv_bias: bool = True
  key_bias: bool = True
  gated: bool = False
  inner_norm: bool = False
  layer_scale: float | None = None
  rotary: Callable[..., jax.Array] | None = None
  has_class_token: bool = True
  num_registers: int = 0
  shared_class_token: bool = False
  drop_path: float = 0.0
  dropout: float = 0.0
  temporal: Temporal = Temporal()
  dtype: jax.typing.DTypeLike = jnp.float32

  SLOTS = (
    "block_input",
    "attention_branch",
    "keys_values",
    "attention",
    "mlp_input",
    "mlp_branch",
  )

  @nn.compact
  def __call__(
    self,
    x: jax.Array,
    train: bool = False,
    *,
    mask: jax.Array | None = None,
    grid: tuple[int, int] | None = None,
  ) -> tuple[jax.Array, dict]:
    """Maps tokens (B, ..., N, D) to the same shape, and the slots' outputs.

    Args:
      x: Tokens; (B, T, N, D) if a slot is filled.
      train: Whether anything is dropped.
      mask: True where a query may look, broadcast to (..., M, N, N).
      grid: Rows and columns of patches; only rotary positions need it.

    Raises:
      ValueError: If rotary positions lack a grid, or the slot `attention` is
        filled with a layer that has none.
    """
    slots = self._slots()
    x = written_out(x) if train else x
    x, aux = self._stream(slots.block_input, "block_input", x, train)
    x, more = self._branch(slots.attention_branch, "attention_branch", x, train)
    aux |= more
    y, more = self._attend(slots, self._norm("norm1")(x), train, mask, grid)
    aux |= more
    x = x + self._drop(self._scale("layer_scale1", y), train)
    x = written_out(x) if train else x
    x, more = self._stream(slots.mlp_input, "mlp_input", x, train)
    aux |= more
    x, more = self._branch(slots.mlp_branch, "mlp_branch", x, train)
    aux |= more
    y = self._mlp(x.shape[-1])(self._norm("norm2")(x), train)
    return x + self._drop(self._scale("layer_scale2", y), train), aux

  def _slots(self) -> Temporal:
    """Returns the slots, whose modules take heads and such from the block."""
    return self.temporal.adapted(
      num_heads=self.num_heads,
      qkv_bias=self.qkv_bias,
      key_bias=self.key_bias,
      inner_norm=self.inner_norm,
      inner_epsilon=self.epsilon,
      drop_path=self.drop_path,
      shared_class_token=self.shared_class_token,
      rotary=self.rotary,
    )

  def _norm(self, name: str) -> LayerNorm:
    return LayerNorm(epsilon=self.epsilon, dtype=self.dtype, name=name)

  def _mlp(self, width: int) -> nn.Module:
    hidden = int(self.mlp_ratio * width)
    settings = {"dropout": self.dropout, "dtype": self.dtype, "name": "mlp"}
    if self.gated:
      return SwiGlu(hidden, self.inner_norm, self.epsilon, **settings)
    return Mlp(hidden, activation=self.activation, **settings)

  def _scale(self, name: str, branch: jax.Array) -> jax.Array:
    """Multiplies a branch by its factors, where it has some."""
    if self.layer_scale is None:
      return branch
    return LayerScale(self.layer_scale, name=name)(branch)

  def _drop(self, branch: jax.Array, train: bool) -> jax.Array:
    return DropPath(self.drop_path)(branch, train)

  def _shown(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns the tokens that a slot sees, and the registers."""
    return show_slots(
      x, has_class_token=self.has_class_token, num_registers=self.num_registers
    )

  def _hidden(self, seen: jax.Array, registers: jax.Array) -> jax.Array:
    """Joins the tokens of a slot with the registers."""
    return hide_slots(seen, registers, has_class_token=self.has_class_token)

  def _stream(
    self, factory: Factory | None, name: str, x: jax.Array, train: bool
  ) -> tuple[jax.Array, dict]:
    """Runs the module of a slot of the stream, nothing for an empty one."""
    if factory is None:
      return x, {}
    seen, registers = self._shown(x)
    seen, aux = apply_slot(factory, name, seen, train)
    return self._hidden(seen, registers), aux

  def _branch(
    self, factory: Factory | None, name: str, x: jax.Array, train: bool
  ) -> tuple[jax.Array, dict]:
    """Adds the residual branch of a slot, nothing for an empty one."""
    if factory is None:
      return x, {}
    seen, registers = self._shown(x)
    branch, aux = apply_slot(factory, name, seen, train)
    branch = self._hidden(branch, jnp.zeros_like(registers))
    return x + self._drop(branch, train), aux

  def _attend(
    self,
    slots: Temporal,
    x: jax.Array,
    train: bool,
    mask: jax.Array | None,
    grid: tuple[int, int] | None,
  ) -> tuple[jax.Array, dict]:
    """Attends within each frame, or as the slot `attention` does."""
    if slots.attention is not None:
      attend = slots.attention(name="attention")
      if self.rotary is None:
        return attend(x, train=train)
      if not hasattr(attend, "rotary"):
        raise ValueError(
          f"{type(attend).__name__} in the slot `attention` has no rotary positions."
        )
      return attend(x, train=train, grid=grid)
    attend = SelfAttention(
      self.num_heads,
      qkv_bias=self.qkv_bias,
      key_bias=self.key_bias,
      keys_values=slots.keys_values,
      rotary=self.rotary,
      has_class_token=self.has_class_token,
      num_registers=self.num_registers,
      inner_norm=self.inner_norm,
      epsilon=self.epsilon,
      dtype=self.dtype,
      name="attention",
    )
    y = attend(x, train, mask=mask, grid=grid)
    if self.shared_class_token:
      copies = y[:, :, 0]  # (B, T, D)
      mean = jnp.mean(copies, axis=1, keepdims=True)
      y = y.at[:, :, 0].set(jnp.broadcast_to(mean, copies.shape))
    return y, {}


def parameter_groups(prefix: str = "") -> ParameterGroups:
  """Returns the groups of a transformer's parameters, see `Network`.

  Args:
    prefix: Path of the transformer in its network, e.g. "visual/". Other
      transformers of the network can be split as well, but have no layer decay.
  """
  return ParameterGroups(
    before_blocks=rf"{prefix}(patch_embedding|pre_norm)/.*",
    blocks=rf"{prefix}block(?P<number>\d+)/.*",
    tensor=_TENSOR_RULES,
  )


def visual_layers(prefix: str = "") -> VisualLayers:
  """Returns a transformer's layers that show what it looks at, see `Network`.

  After the norm of the last attention only the class token counts in most
  networks, so the gradients are taken there.

  Args:
    prefix: Path of the transformer in its network, e.g. "visual/".
  """
  return VisualLayers(
    features=(rf"{prefix}block\d+",),
    gradients=(rf"{prefix}block\d+/norm1",),
    attention=rf"{prefix}block\d+/attention",
  )
