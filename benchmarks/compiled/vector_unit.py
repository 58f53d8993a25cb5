"""Counts the element operations that a TPU's vector units do.

Most loops wait for the main memory, and their operations do not count. Those
that compute much of little, such as a depthwise convolution as a sum of shifted
maps, do not wait: their bytes would be an estimate far too low.
"""

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.compiled.hlo import Instruction, Program

# They move or name values, and compute none; conversions are a part of loads.
_FREE = frozenset(
  {
    "bitcast",
    "broadcast",
    "constant",
    "convert",
    "copy",
    "custom-call",
    "get-tuple-element",
    "iota",
    "parameter",
    "reshape",
    "transpose",
    "tuple",
  }
)
# Operations for an element where they are not one: functions are polynomials,
# and each slice is loaded for itself and moved into place. XLA's own estimates
# for v5e agree for 200 operations and 20 exponentials on an array, to 10 %. For
# sums of 7 to 49 slices they are three times as long, as they are for all loops
# that wait for memory, whose time is known.
_OPERATIONS: Mapping[str, int] = MappingProxyType(
  {
    "atan2": 20,
    "cosine": 20,
    "divide": 4,
    "dynamic-slice": 6,
    "erf": 12,
    "exponential": 4,
    "exponential-minus-one": 8,
    "log": 4,
    "log-plus-one": 8,
    "logistic": 6,
    "power": 12,
    "remainder": 6,
    "rsqrt": 4,
    "sine": 20,
    "slice": 6,
    "sqrt": 4,
    "tanh": 4,
  }
)
_PRODUCTS = ("convolution", "dot")


def operations(program: Program, line: Instruction) -> int:
  """Returns the element operations of an instruction, with those of padding."""
  if line.opcode == "fusion" and line.called:
    body = program.computations[line.called]
    sizes = {one.name: _size(one) for one in body}
    return sum(
      operations(program, one)
      if one.opcode == "fusion"
      else _weight(one) * _elements(one, sizes)
      for one in body
    )
  return _weight(line) * _size(line)


def _weight(line: Instruction) -> int:
  if line.opcode in _FREE or line.opcode in _PRODUCTS:
    return 0
  return _OPERATIONS.get(line.opcode, 1)


def _elements(line: Instruction, sizes: Mapping[str, int]) -> int:
  """Returns the number of elements that an instruction computes or reduces."""
  if line.opcode in ("reduce", "reduce-window"):
    return max(_size(line), *(sizes[name] for name in line.operands))
  return _size(line)


def _size(line: Instruction) -> int:
  return max((array.padded_size for array in line.arrays), default=0)
