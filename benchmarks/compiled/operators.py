"""Programs of the cases of benchmarks.operators, and their least cost."""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import einops
import jax
import jax.numpy as jnp
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.cases.operator_case import OperatorCase

FORWARD, GRADIENTS = "forward", "gradients"
MODES = (FORWARD, GRADIENTS)


class OperatorProgram(NamedTuple):
  """Program that is compiled for a case.

  Attributes:
    function: Maps `shapes` to the output, and where a gradient of the output is
      given as well, to the gradients of all inputs except pixels.
    shapes: Inputs; features in the dtype of the activations, and weights in
      float32, as networks hold them.
    multiply_adds: Those of the authors' formulation; three times as many with
      gradients, or twice without that of pixels.
    least_bytes: Bytes of all inputs and outputs without padding.
  """

  function: Callable[..., Any]
  shapes: tuple[jax.ShapeDtypeStruct, ...]
  multiply_adds: int
  least_bytes: int


def program(
  case: OperatorCase,
  mode: str,
  *,
  batch: int,
  dtype: jax.typing.DTypeLike = jnp.bfloat16,
) -> OperatorProgram:
  """Returns the program of a case.

  Args:
    case: The case.
    mode: "forward" or "gradients".
    batch: Clips.
    dtype: Dtype of the features.
  """
  shapes = _shapes(case, batch, dtype)
  function = case.training or functools.partial(_cast_weights, case.ours)
  out = jax.eval_shape(function, *shapes)
  size = sum(map(_nbytes, (*shapes, out)))
  products = multiply_adds(case, batch)
  if mode == FORWARD:
    return OperatorProgram(function, shapes, products, size)

  times = 2 if case.of_pixels else 3
  both = with_gradients(function, fixed=int(case.of_pixels))
  return OperatorProgram(both, (out, *shapes), times * products, 2 * size)


def with_gradients(function: Callable[..., Any], *, fixed: int = 0) -> Callable:
  """Returns a function of the output's gradient and the inputs.

  It returns the output, and the gradients of all inputs except the first
  `fixed`.
  """

  def both(gradient: Any, *inputs: Any) -> tuple:
    held, trained = inputs[:fixed], inputs[fixed:]
    y, backward = jax.vjp(functools.partial(function, *held), *trained)
    return y, backward(gradient)

  return both


def multiply_adds(case: OperatorCase, batch: int) -> int:
  """Returns the multiply-adds that the authors' formulation needs, forward.

  Ours may do more where that is faster, as with products that replace a gather.
  """
  if case.products:
    return batch * case.products(case.frames)
  inputs = [
    einops.rearrange(torch.empty(array.shape, device="meta"), array.pattern)
    for array in case.arrays(case.frames)
  ]
  with FlopCounterMode(display=False) as counter:
    case.theirs(*inputs, frames=case.frames)
  return batch * counter.get_total_flops() // 2


def _shapes(
  case: OperatorCase, batch: int, dtype: jax.typing.DTypeLike
) -> tuple[jax.ShapeDtypeStruct, ...]:
  """Returns the inputs: what has an axis of clips is of the features' dtype."""
  found = []
  for array in case.arrays(case.frames):
    if array.pattern.startswith("n "):
      found.append(jax.ShapeDtypeStruct((batch, *array.shape[1:]), dtype))
    else:
      found.append(jax.ShapeDtypeStruct(array.shape, jnp.float32))
  return tuple(found)


def _cast_weights(
  function: Callable[..., jax.Array], features: jax.Array, *others: jax.Array
) -> jax.Array:
  """Calls an operator as its layer does."""
  return function(features, *(other.astype(features.dtype) for other in others))


def _nbytes(shape: jax.ShapeDtypeStruct) -> int:
  return math.prod(shape.shape) * shape.dtype.itemsize
