"""Estimates how long a chip's matrix units take for a product or convolution.

A unit of a TPU holds a square of the right operand, side x side: what is summed
over along one side, the columns of the result along the other. The rows of the
left operand stream through it. Where the square is not full, as with 64
channels, a part of the unit idles. For convolutions of few channels XLA puts
several taps into a square. Its own estimates for v5e agree to 20 %, for patches
of 16 x 16 and windows of one channel to a factor of 2, see
`benchmarks.compiled.calibration`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.compiled.chips import Chip
from benchmarks.compiled.hlo import Array, Instruction

_PIPELINE = 0.9  # Share of the peak of a large product.
# Speed of the kernel's gradient relative to the depthwise convolution.
_DEPTHWISE_KERNEL = 2.66
_FULL = 256  # Columns that fill a unit of any chip.
_LARGE_WINDOW = 49  # Above it, a window is a map: the gradient of a kernel.
# Taps of few channels: the filled part is a power of what one tap fills, but at
# least that of 8 taps, up to a quarter.
_PACKING = 0.75
_PACKED_TAPS = 8
_PACKED_PART = 0.25


class Product(NamedTuple):
  """A product of matrices, or a convolution as one.

  Attributes:
    multiply_adds: Multiply-adds without those of padding.
    summed: Size that is summed over.
    columns: Columns of the result.
    taps: Taps of a convolution that are not a part of `summed`.
    depthwise: For separate channels, speed relative to `Chip.depthwise`; else
      None.
  """

  multiply_adds: int
  summed: int
  columns: int
  taps: int = 1
  depthwise: float | None = None


def seconds(product: Product, chip: Chip) -> float:
  """Returns the estimated time of a product on all of a chip's units."""
  ideal = 2 * product.multiply_adds / chip.peak
  if product.depthwise is not None:
    share = product.depthwise * chip.depthwise
    return ideal / share / _filled(product.columns, chip.side)
  filled = _filled(product.columns, chip.side)
  if product.taps > 1 and 2 * product.summed <= chip.side:
    filled *= _packed(product.summed / chip.side)
  else:
    filled *= _filled(product.summed, chip.side)
  return ideal / (_PIPELINE * filled)


def product(line: Instruction, arrays: Mapping[str, tuple[Array, ...]]) -> Product:
  """Reads a product or a convolution.

  Args:
    line: Its instruction, "dot" or "convolution".
    arrays: The results of the instructions of its computation.

  Raises:
    ValueError: If its attributes cannot be read.
  """
  left, right = (arrays[name][0].dims for name in line.operands[:2])
  if line.opcode == "dot":
    axes = line.numbers("lhs_contracting_dims")
    return dot(left, right, axes, line.numbers("lhs_batch_dims"))
  return convolution(line, left, right, line.arrays[0].dims)


def _filled(size: int, side: int) -> float:
  """Returns the part of whole multiples of `side` that a size fills."""
  return size / (math.ceil(size / side) * side)


def _packed(tap: float) -> float:
  """Returns the part of a side that taps fill; one fills the part `tap`."""
  return max(tap**_PACKING, min(_PACKED_PART, _PACKED_TAPS * tap))


def dot(
  left: tuple[int, ...],
  right: tuple[int, ...],
  summed_axes: Sequence[int],
  batch_axes: Sequence[int],
) -> Product:
  """Returns the product of two shapes, with the axes of the left one."""
  summed = math.prod(left[axis] for axis in summed_axes)
  batch = math.prod(left[axis] for axis in batch_axes)
  rows = math.prod(left) // (summed * batch)
  columns = math.prod(right) // (summed * batch)
  return Product(batch * rows * columns * summed, summed, columns)


def convolution(
  line: Instruction,
  left: tuple[int, ...],
  right: tuple[int, ...],
  result: tuple[int, ...],
) -> Product:
  """Returns the product of a convolution.

  Args:
    line: Instruction with the convolution's attributes.
    left: Shape of its input.
    right: Shape of its kernel.
    result: Shape of its output.

  Raises:
    ValueError: If the attributes do not name the axes.
  """
  labels = re.search(r"dim_labels=(\w+)_(\w+)->(\w+)", line.attributes)
  if labels is None:
    raise ValueError(f"{line.name}: a convolution without dim_labels.")
  of_left, of_right, of_result = labels.groups()
  window = _Window.read(line)
  spatial = sorted(label for label in of_result if label not in "bf")
  pairs, places, batch = 1, 1, 1
  for axis, label in enumerate(spatial):
    wanted = result[of_result.index(label)]
    found = window.pairs(axis, left[of_left.index(label)], wanted)
    pairs *= found
    # XLA writes the batch of a product as an axis on which each place of the
    # result reads one of many taps.
    if window.size and window.size[axis] > 1 and found == wanted:
      batch *= wanted
    else:
      places *= wanted
  columns = result[of_result.index("f")]
  summed = right[of_right.index("i")]
  groups = line.number("feature_group_count", 1)
  multiply_adds = result[of_result.index("b")] * columns * pairs * summed
  if groups > 1 and groups == columns:
    return Product(multiply_adds, summed, columns, depthwise=1.0)
  if line.number("batch_group_count", 1) > 1:
    # Channels stream through the units; none is padded.
    return Product(multiply_adds, summed, _FULL, depthwise=_DEPTHWISE_KERNEL)
  # A single tap that is moved reads nothing at some places.
  taps = max(1, pairs // (places * batch))
  # Windows without an overlap, or a single one, are rows of one product.
  if taps > _LARGE_WINDOW or window.is_apart() or places == 1:
    summed, taps = summed * taps, 1
  return Product(multiply_adds, summed, columns // groups, taps)


class _Window(NamedTuple):
  """Window of a convolution, a value per spatial axis.

  Attributes:
    size: Taps.
    stride: Steps between windows.
    low: Zeros in front of the input.
    input_dilation: Distance of the input's elements.
    dilation: Distance of the taps.
  """

  size: tuple[int, ...]
  stride: tuple[int, ...]
  low: tuple[int, ...]
  input_dilation: tuple[int, ...]
  dilation: tuple[int, ...]

  @classmethod
  def read(cls, line: Instruction) -> "_Window":
    found = re.search(r"window=\{([^}]*)\}", line.attributes)
    text = found[1] if found else ""
    fields = dict(field.split("=") for field in text.split())

    def values(name: str, default: str) -> tuple[int, ...]:
      size = fields.get("size", "")
      count = len(size.split("x")) if size else 0
      listed = fields[name].split("x") if name in fields else [default] * count
      return tuple(int(value.split("_")[0]) for value in listed)

    return cls(
      values("size", "1"),
      values("stride", "1"),
      values("pad", "0_0"),
      values("lhs_dilate", "1"),
      values("rhs_dilate", "1"),
    )

  def is_apart(self) -> bool:
    """Returns whether no element is in two windows."""
    return all(
      size <= stride for size, stride in zip(self.size, self.stride, strict=True)
    )

  def pairs(self, axis: int, given: int, wanted: int) -> int:
    """Returns the pairs of a tap and a place where the tap reads no zero.

    Args:
      axis: The spatial axis.
      given: Its size in the input.
      wanted: Its size in the result.
    """
    if not self.size:
      return wanted
    places = np.arange(wanted) * self.stride[axis] - self.low[axis]
    taps = np.arange(self.size[axis]) * self.dilation[axis]
    reads = np.add.outer(taps, places)
    dilation = self.input_dilation[axis]
    inside = (reads >= 0) & (reads <= (given - 1) * dilation)
    return int(np.sum(inside & (reads % dilation == 0)))
