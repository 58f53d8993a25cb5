"""Plain programs whose time on a chip is known, to check the estimates with.

For products, sums and convolutions with as many channels as the units are wide,
the estimate must be near the ideal. XLA has an estimate of its own once it has
made the code for the chip; where channels are fewer, it shows what part of the
units idles.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from benchmarks.compiled import hlo
from benchmarks.compiled.chips import Chip
from benchmarks.compiled.estimate import estimate


class Plain(NamedTuple):
  """A program of one operation.

  Attributes:
    name: Name of the operation.
    function: The operation.
    shapes: Its inputs, bfloat16.
    multiply_adds: Its multiply-adds.
    fills: Whether it fills the matrix units of all chips, or needs none.
  """

  name: str
  function: Callable[..., jax.Array]
  shapes: tuple[tuple[int, ...], ...]
  multiply_adds: int = 0
  fills: bool = True

  def inputs(self) -> tuple[jax.ShapeDtypeStruct, ...]:
    """Returns the inputs."""
    return tuple(jax.ShapeDtypeStruct(shape, jnp.bfloat16) for shape in self.shapes)

  def least_bytes(self) -> int:
    """Returns the bytes of inputs and output."""
    out = jax.eval_shape(self.function, *self.inputs())
    return sum(2 * math.prod(shape) for shape in (*self.shapes, out.shape))


def _product(rows: int, summed: int, columns: int, **facts: Any) -> Plain:
  return Plain(
    f"product {rows} x {summed} x {columns}",
    jnp.matmul,
    ((rows, summed), (summed, columns)),
    rows * summed * columns,
    **facts,
  )


def _convolution(
  size: int, inputs: int, outputs: int, taps: int, *, groups: int = 1, **facts: Any
) -> Plain:
  """Returns a convolution of 64 maps that keeps their size."""
  along_an_axis = size * taps - 2 * sum(range(taps // 2 + 1))
  words = f"{inputs} to {outputs} channels" if groups == 1 else f"{inputs} groups"
  return Plain(
    f"convolution {taps} x {taps}, {size} x {size}, {words}",
    lambda x, kernel: jax.lax.conv_general_dilated(
      x,
      kernel,
      (1, 1),
      "SAME",
      dimension_numbers=("NHWC", "HWIO", "NHWC"),
      feature_group_count=groups,
    ),
    ((64, size, size, inputs), (taps, taps, inputs // groups, outputs)),
    64 * along_an_axis**2 * inputs // groups * outputs,
    **facts,
  )


PROGRAMS = (
  Plain("sum of two arrays of 128 MB", jnp.add, ((8192, 8192),) * 2),
  Plain("maximum of two arrays of 51 MB", jnp.maximum, ((64, 56, 56, 128),) * 2),
  _product(4096, 4096, 4096),
  _product(12608, 768, 3072),
  _convolution(28, 256, 256, 3),
  _convolution(14, 512, 512, 3),
  _convolution(28, 512, 256, 1),
  _product(8192, 64, 4096, fills=False),
  _product(65536, 128, 128, fills=False),
  _product(65536, 64, 64, fills=False),
  _convolution(56, 64, 64, 3, fills=False),
  _convolution(28, 128, 128, 3, fills=False),
  _convolution(56, 32, 32, 3, fills=False),
  _convolution(56, 16, 64, 3, fills=False),
  _convolution(56, 64, 256, 1, fills=False),
  _convolution(56, 96, 96, 7, groups=96, fills=False),
  _convolution(14, 384, 384, 3, groups=384, fills=False),
)
COLUMNS = (
  "program",
  "chip",
  "estimate us",
  "ideal us",
  "ratio",
  "matrix us",
  "XLA's us",
  "of XLA's",
)
# The text that XLA writes after it has made the code for a TPU.
TEXT_FILE = "*.after_codegen.txt"
_CYCLES = re.compile(r'"estimated_cycles":"(\d+)"')


def compare(plain: Plain, text: str, chip: Chip) -> dict[str, Any]:
  """Returns estimates of a program: ours, the ideal, and XLA's of its products.

  Args:
    plain: The program.
    text: Its text, with XLA's estimates.
    chip: The chip.
  """
  program = hlo.parse(text)
  found = estimate(program, chip)
  # XLA's estimates of what waits for memory are several times too long.
  products = {
    cost.name for cost in found.costs if cost.matrix_seconds == cost.seconds > 0
  }
  cycles = sum(
    int(_CYCLES.search(line.attributes)[1])
    for line in program.computations[program.entry]
    if line.name in products
  )
  multiply_seconds = 2 * plain.multiply_adds / chip.peak
  return {
    "name": plain.name,
    "estimate_us": 1e6 * found.seconds,
    "ideal_us": 1e6 * max(multiply_seconds, plain.least_bytes() / chip.bandwidth),
    "matrix_us": 1e6 * found.matrix_seconds,
    "xla_us": 1e6 * cycles / chip.clock,
  }


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
  """Returns the cells of a row; see `COLUMNS`."""
  xla = row["xla_us"]
  return (
    row["name"],
    row["chip"],
    f"{row['estimate_us']:.0f}",
    f"{row['ideal_us']:.0f}",
    f"{row['estimate_us'] / row['ideal_us']:.2f}",
    *(
      (f"{row['matrix_us']:.0f}", f"{xla:.0f}", f"{row['matrix_us'] / xla:.2f}")
      if xla
      else ("-", "-", "-")
    ),
  )
