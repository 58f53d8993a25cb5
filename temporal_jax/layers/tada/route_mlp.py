"""Route function of TAdaConv: from features to calibration."""

import flax.linen as nn
import jax

from temporal_jax import ops
from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.initializers import torch_default
from temporal_jax.layers.layer_norm import LayerNorm
from temporal_jax.layers.tada.calibration import (
  calibrations,
  frame_descriptors,
  hidden_width,
)
from temporal_jax.layers.temporal_convolution import TemporalConv
from temporal_jax.ops import shape_checks
from temporal_jax.validation import check_choice

_NORMS = ("batch", "layer")


class RouteMlp(nn.Module):
  """Calibration of each frame by convolutions along time.

  v_t = mean over H and W of x_t, plus Dense(mean over t of v_t) with
  `global_context`; calibration = 1 + b(relu(norm(a(v)))), or 1 + b(v) if
  `linear`.

  Attributes:
    features: Calibrated channels, by default all of `x`.
    ratio: The hidden width is C // ratio.
    taps: Frames seen by a and by b; odd. The linear form has only b.
    linear: Whether there is no hidden layer.
    global_context: Whether the clip's mean is added to every frame's.
    norm: "batch", or "layer" (epsilon 1e-6) with GELU in place of ReLU
      (TAdaConvNeXt).
    bias: Whether a second calibration is made, for the convolution's bias.
    identity_init: Whether b starts at zero, so that nothing is calibrated at
      first; otherwise b is random and 1 is not added.
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: Huang et al. 2023, https://arxiv.org/abs/2308.05787, equations 4, 5
    and 7, table 3d; class `RouteFuncMLP` in module_zoo/ops/tadaconv.py of
    alibaba-mmai-research/TAdaConv; class `RouteFuncMLPLnGelu` in
    models/cv/action_recognition/tada_convnext.py of modelscope/modelscope.
  """

  features: int | None = None
  ratio: int = 4
  taps: tuple[int, int] = (3, 3)
  linear: bool = False
  global_context: bool = True
  norm: str = "batch"
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
        C, `features` is below 1, or `norm` is unknown.
    """
    dtype, channels = self.dtype or x.dtype, x.shape[-1]
    hidden = hidden_width(channels, self.ratio)
    check_choice("norm", self.norm, _NORMS)
    frames = frame_descriptors(x).astype(dtype)
    if self.global_context:
      context = nn.Dense(
        channels, kernel_init=torch_default(), dtype=dtype, name="context"
      )
      frames = frames + context(frames.mean(axis=1, keepdims=True))
    if not self.linear:
      reduce = TemporalConv(
        hidden,
        self.taps[0],
        kernel_init=torch_default(),
        dtype=dtype,
        name="reduce",
      )
      frames = self._activate(reduce(frames), train)
    return calibrations(
      frames,
      shape_checks.given_or(channels, features=self.features),
      bias=self.bias,
      taps=self.taps[1],
      identity_init=self.identity_init,
      kernel_init=torch_default(),
    )

  def _activate(self, x: jax.Array, train: bool) -> jax.Array:
    """Applies the norm, and the activation that goes with it."""
    if self.norm == "batch":
      return nn.relu(BatchNorm(dtype=x.dtype, name="norm")(x, train))
    norm = LayerNorm(epsilon=1e-6, dtype=x.dtype, name="norm")
    return ops.gelu(norm(x))
