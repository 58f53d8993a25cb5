"""Route function of TAdaConvV2: attention between the frames."""

import flax.linen as nn
import jax

from temporal_jax import ops
from temporal_jax.layers.attention import SelfAttention
from temporal_jax.layers.layer_norm import LayerNorm
from temporal_jax.layers.tada.calibration import (
  calibrations,
  frame_descriptors,
  hidden_width,
)
from temporal_jax.layers.temporal_convolution import TemporalConv
from temporal_jax.ops import shape_checks
from temporal_jax.validation import check_choice

# Forms of the route function, see `RouteAttention`.
FORMS = ("code", "paper")


class RouteAttention(nn.Module):
  """Calibration of each frame by attention between the frames of the clip.

  v = QuickGELU(norm(a(mean over H and W of x)));
  calibration = 1 + b(v + attention(norm(v)))

  The released code's form is the default; the paper's, equation 6, is GELU,
  attention(v) without a norm, and the usual scale of the products.

  Attributes:
    features: Calibrated channels, by default all of `x`.
    ratio: The hidden width is C // ratio.
    taps: Frames seen by a and by b; odd.
    head_width: Channels of an attention head.
    form: "code", in which the whole hidden width scales the products, or
      "paper", in which the width of a head does; see above.
    bias: Whether a second calibration is made, for the convolution's bias.
    identity_init: Whether b starts at zero, so that nothing is calibrated at
      first; otherwise b is random and 1 is not added (TAdaFormer).
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: Huang et al. 2023, https://arxiv.org/abs/2308.05787, equations 6 and
    7; class `RouteFuncwTransformer` in module_zoo/ops/tadaconv_v2.py of
    alibaba-mmai-research/TAdaConv.
  """

  features: int | None = None
  ratio: int = 4
  taps: tuple[int, int] = (3, 3)
  head_width: int = 64
  form: str = "code"
  bias: bool = False
  identity_init: bool = True
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(
    self, x: jax.Array, train: bool = False
  ) -> jax.Array | tuple[jax.Array, jax.Array]:
    """Maps features (B, T, H, W, C) to a calibration (B, T, features).

    Returns:
      The calibration of the kernel, and with `bias` also the calibration of the
      bias.

    Raises:
      ValueError: If `x` is not floating point of rank 5, `ratio` is not in 1 to
        C, `head_width` does not divide the hidden width, `features` is below 1,
        or `form` is unknown.
    """
    del train
    check_choice("form", self.form, FORMS)
    dtype = self.dtype or x.dtype
    width = hidden_width(x.shape[-1], self.ratio)
    shape_checks.whole(1, head_width=self.head_width)
    if width % self.head_width:
      raise ValueError(
        f"heads of {self.head_width} do not divide the hidden width {width} of "
        f"x {x.shape} and ratio {self.ratio}: give a head_width that does."
      )
    normal = nn.initializers.normal(0.02)
    frames = frame_descriptors(x).astype(dtype)
    frames = TemporalConv(
      width, self.taps[0], kernel_init=normal, dtype=dtype, name="reduce"
    )(frames)
    as_released = self.form == "code"
    activate = ops.quick_gelu if as_released else ops.gelu
    frames = activate(self._norm("norm", dtype)(frames))
    attend = SelfAttention(
      width // self.head_width,
      scale=width**-0.5 if as_released else None,
      kernel_init=normal,
      dtype=dtype,
      name="attention",
    )
    seen = self._norm("attention_norm", dtype)(frames) if as_released else frames
    frames = frames + attend(seen)
    return calibrations(
      frames,
      shape_checks.given_or(x.shape[-1], features=self.features),
      bias=self.bias,
      taps=self.taps[1],
      identity_init=self.identity_init,
      kernel_init=normal,
    )

  def _norm(self, name: str, dtype: jax.typing.DTypeLike) -> LayerNorm:
    return LayerNorm(epsilon=1e-6, dtype=dtype, name=name)
