"""Initialisers that flax lacks, and those that an operator's text can name."""

from collections.abc import Sequence

import flax.linen as nn


def torch_default(*, batch_axis: Sequence[int] = ()) -> nn.initializers.Initializer:
  """Returns torch's default initialiser of kernels.

  It is uniform in +-1 / sqrt(fan in), a third of lecun's variance.

  Args:
    batch_axis: Axes that count independent kernels.

  Source: `reset_parameters` of classes `Linear` and `_ConvNd` of
    pytorch/pytorch.
  """
  return nn.initializers.variance_scaling(
    1 / 3, "fan_in", "uniform", batch_axis=batch_axis
  )


def torch_depthwise_default() -> nn.initializers.Initializer:
  """Returns `torch_default` of a kernel (..., C) of a depthwise layer.

  Each of its C parts reads one channel: fan in is the number of its taps.
  """
  return nn.initializers.variance_scaling(
    1 / 3, "fan_in", "uniform", in_axis=(), out_axis=(), batch_axis=(-1,)
  )


INITIALIZERS = {
  "normal": nn.initializers.normal,
  "ones": nn.initializers.ones_init,
  "torch_default": torch_default,
  "torch_depthwise_default": torch_depthwise_default,
  "truncated_normal": nn.initializers.truncated_normal,
  "uniform": nn.initializers.uniform,
  "zeros": nn.initializers.zeros_init,
}
