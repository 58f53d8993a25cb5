"""The residual branch that makes a vision transformer temporal (TAdaFormer)."""

import functools
import math
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers.attention import HEAD_WIDTH
from temporal_jax.layers.convolution import DepthwiseConv2D
from temporal_jax.layers.tada.adaptive_convolution import AdaptiveConv
from temporal_jax.layers.tada.calibration import hidden_width
from temporal_jax.layers.tada.route_attention import RouteAttention
from temporal_jax.layers.tada.temporal_pooling import AggregatedConv
from temporal_jax.layers.temporal_convolution import TemporalConv
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.join_axes import join_axes

_NORMAL = nn.initializers.normal(0.02)


class AdaptiveBranch(nn.Module):
  """Depthwise adaptive convolution of the patch tokens, between projections.

  out = contract(QuickGELU(aggregation(expand(patches)))), zero for the class
  token, and zero at first for all.

  The paper's table 5 leaves parts of it out.

  Attributes:
    reduction: The inner width is D // reduction.
    size: Side of the kernel, odd.
    ratio: Divisor of the inner width in the route function.
    head_width: Channels of an attention head of the route function; by default
      as in the backbone, at most all of its hidden width, and without a
      backbone 64.
    num_heads: Heads of the backbone, which share D evenly.
    route_taps: Frames seen by each convolution of the route function.
    route_form: Form of the route function, see `RouteAttention`.
    adaptive: Whether the convolution is calibrated; a plain one has the same
      kernel and bias.
    aggregate: Whether temporal pooling and the two norms follow it. Without
      them QuickGELU gets the convolution's output, as with the released
      class's `internal_temp_aggr` off.
    temporal_projection: Whether the first projection sees three frames.
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: Huang et al. 2023, https://arxiv.org/abs/2308.05787, figure 3d;
    classes `TAdaBlock` and `TAdaBlockTempEnhanced` in
    module_zoo/branches/tadaformer.py of alibaba-mmai-research/TAdaConv.
  """

  reduction: int = 2
  size: int = 3
  ratio: int = 2
  head_width: int | None = None
  num_heads: int | None = None
  route_taps: tuple[int, int] = (3, 3)
  route_form: str = "code"
  adaptive: bool = True
  aggregate: bool = True
  temporal_projection: bool = False
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps tokens (B, T, N, D), class token first; aux is empty.

    Raises:
      ValueError: If `x` is not floating point of rank 4, its patches are not a
        square grid, `reduction` is not in 1 to D, or see `RouteAttention`.
    """
    shape_checks.tokens(x)
    side = math.isqrt(x.shape[2] - 1)
    if side == 0 or side**2 != x.shape[2] - 1:
      raise ValueError(
        f"x must hold a class token and a square grid of patches, got {x.shape}."
      )
    dtype, width = self.dtype or x.dtype, x.shape[-1]
    inner = hidden_width(width, self.reduction, "reduction")
    patches = x[:, :, 1:].reshape(*x.shape[:2], side, side, width)  # (B, T, H, W, D)
    settings = {"kernel_init": _NORMAL, "dtype": dtype, "name": "expand"}
    if self.temporal_projection:
      project = TemporalConv(inner, 3, **settings)
    else:
      project = nn.Dense(inner, **settings)
    patches, _ = self._convolve(project(patches.astype(dtype)), width, train)
    zeros = nn.initializers.zeros
    contract = nn.Dense(width, kernel_init=zeros, dtype=dtype, name="contract")
    out = join_axes(contract(ops.quick_gelu(patches)), 2, -1)
    return jnp.pad(out, ((0, 0), (0, 0), (1, 0), (0, 0))), {}

  def _head_width(self, width: int, inner: int) -> int:
    """Returns the channels of a head of the route function."""
    num_heads = shape_checks.given_or(1, num_heads=self.num_heads)
    if self.head_width is not None:
      return self.head_width
    if self.num_heads is None:
      return HEAD_WIDTH
    return min(width // num_heads, hidden_width(inner, self.ratio))

  def _convolve(self, x: jax.Array, width: int, train: bool) -> tuple[jax.Array, dict]:
    """Applies the depthwise convolution, and the aggregation if it has one."""
    convolution = self._convolution(x, width)
    if self.aggregate:
      return AggregatedConv(convolution, name="aggregation")(x, train)
    return convolution(name="convolution")(x, train)

  def _convolution(self, x: jax.Array, width: int) -> Callable[..., nn.Module]:
    """Returns a factory of the depthwise convolution of `x`."""
    settings = {"size": self.size, "kernel_init": _NORMAL, "dtype": x.dtype}
    if not self.adaptive:
      return functools.partial(_PlainConv, **settings)
    features = x.shape[-1]
    route = functools.partial(
      RouteAttention,
      ratio=self.ratio,
      taps=self.route_taps,
      head_width=self._head_width(width, features),
      form=self.route_form,
      bias=True,
      identity_init=False,  # So it is in the reference: it starts near zero.
    )
    return functools.partial(
      AdaptiveConv,
      features,
      groups=features,
      axis="out",
      use_bias=True,
      route=route,
      **settings,
    )


class _PlainConv(DepthwiseConv2D):
  """A convolution that is not calibrated, called as one that is."""

  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (..., H, W, C) to the same shape; aux is empty."""
    del train
    return super().__call__(x), {}


_TEMPORAL = functools.partial(AdaptiveBranch, temporal_projection=True)
OPERATORS = {
  "adaptive_branch": {"attention_branch": AdaptiveBranch},
  "adaptive_branches": {"attention_branch": _TEMPORAL, "mlp_branch": _TEMPORAL},
}
