"""Products in calls of kernels that XLA did not write: cuDNN, cuBLAS, Pallas.

What such a call does is in its attributes, not in HLO.
"""

import math
import re
from collections.abc import Mapping

from benchmarks.compiled import matrix_unit
from benchmarks.compiled.hlo import Array, Instruction
from benchmarks.compiled.matrix_unit import Product

# A kernel's author counts its operations; it is taken to fill the units.
_FULL = 256
_CONVOLUTION = "__cudnn$conv"
_ATTENTION = "__cudnn$fmha"
_PRODUCT = "__cublas$"


def is_library(target: str) -> bool:
  """Returns whether a custom call is one of cuDNN or cuBLAS."""
  return target.startswith((_CONVOLUTION, _ATTENTION, _PRODUCT))


def product(
  line: Instruction, arrays: Mapping[str, tuple[Array, ...]]
) -> Product | None:
  """Returns the product of a custom call, None if it is not known.

  Args:
    line: The custom call.
    arrays: The results of the instructions of its computation.
  """
  operands = [arrays[name][0].dims for name in line.operands if arrays[name]]
  result = line.arrays[0].dims if line.arrays else ()
  if line.target.startswith(_CONVOLUTION):
    # The attributes are those of the forward convolution.
    first, second = operands[:2]
    if "BackwardInput" in line.target:
      return matrix_unit.convolution(line, result, second, first)
    if "BackwardFilter" in line.target:
      return matrix_unit.convolution(line, first, result, second)
    return matrix_unit.convolution(line, first, second, result)
  if line.target.startswith(_ATTENTION):
    return _attention(line, operands[0])
  if line.target.startswith(_PRODUCT):
    axes = _json_numbers(line, "lhs_contracting_dimensions")
    batch = _json_numbers(line, "lhs_batch_dimensions")
    return matrix_unit.dot(*operands[:2], axes, batch)
  found = re.search(r'"cost_estimate":\{"flops":"?(\d+)', line.attributes)
  return Product(int(found[1]) // 2, _FULL, _FULL) if found and int(found[1]) else None


def _attention(line: Instruction, queries: tuple[int, ...]) -> Product | None:
  """Returns the products of attention: two forward, five of the gradients."""
  shape = re.search(
    r'"intermediate_tensor_shape":\s*\{"element_type":\s*"\w+",\s*'
    r'"dimensions":\s*\[([^\]]*)\]',
    line.attributes,
  )
  if shape is None:
    return None
  scores = math.prod(int(n) for n in re.findall(r"\d+", shape[1]))
  products = 5 if "Backward" in line.target else 2
  # Queries are (B, N, M, D); all heads have the same width D.
  width = queries[-1]
  return Product(products * scores * width, width, width)


def _json_numbers(line: Instruction, name: str) -> list[int]:
  found = re.search(rf'"{name}":\s*\[([^\]]*)\]', line.attributes)
  return [int(n) for n in re.findall(r"\d+", found[1])] if found else []
