"""Counts parameters, and multiply-adds from a network's jaxpr."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend import core

from temporal_jax.models.network import Network


def parameters(variables: dict) -> int:
  """Returns the number of trained values, all of {"params"}.

  Args:
    variables: Variables of a model, or their shapes by `jax.eval_shape`.
  """
  return sum(math.prod(x.shape) for x in jax.tree.leaves(variables["params"]))


def abstract_inputs(
  network: Network, clip_shape: tuple[int, int, int], num_texts: int
) -> list[jax.ShapeDtypeStruct]:
  """Returns the shapes of a network's inputs: a clip and, if any, texts.

  Args:
    network: The network.
    clip_shape: (T, H, W) of the clip, one in the batch.
    num_texts: Texts, L, for a network that reads them; they are encoded.

  Returns:
    [(1, T, H, W, 3)] or [(1, T, H, W, 3), (L, D)], float32.
  """
  shapes = [(1, *clip_shape, 3)]
  if network.reads_text:
    shapes.append((num_texts, network.projection))
  return [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]


def multiply_adds(function: Callable, *args: Any) -> int:
  """Returns the multiply-adds of a call's matrix products and convolutions.

  Nothing is computed. Elementwise work, norms, pooling and softmax are left
  out, as papers do; many of them call one multiply-add a FLOP. Of the
  ways to compute one thing that depend on the platform, the default counts:
  it is the plainest.

  Args:
    function: Called with `args`.
    *args: Arrays, or shapes by `jax.ShapeDtypeStruct`.
  """
  return _of_jaxpr(jax.make_jaxpr(function)(*args).jaxpr)


def _of_jaxpr(jaxpr: core.Jaxpr) -> int:
  return sum(_of_equation(equation) for equation in jaxpr.eqns)


def _of_equation(equation: core.JaxprEqn) -> int:
  """Counts one equation, with the equations that it calls."""
  name, params = equation.primitive.name, equation.params
  if name == "dot_general":
    (contracted, _), _ = params["dimension_numbers"]
    shape = equation.invars[0].aval.shape
    taps = math.prod(shape[axis] for axis in contracted)
    return taps * math.prod(equation.outvars[0].aval.shape)
  if name == "conv_general_dilated":
    kernel = equation.invars[1].aval.shape
    features = kernel[params["dimension_numbers"].rhs_spec[0]]
    places = math.prod(equation.outvars[0].aval.shape)
    return math.prod(kernel) // features * places
  inner = [_of_jaxpr(jaxpr) for jaxpr in _called(params)]
  if name == "cond":
    platforms = params.get("branches_platforms")
    return inner[platforms.index(None)] if platforms else max(inner)
  return params.get("length", 1) * sum(inner) if name == "scan" else sum(inner)


def _called(params: dict[str, Any]) -> list[core.Jaxpr]:
  """Returns the jaxprs among an equation's parameters."""
  found = []
  for value in params.values():
    for item in value if isinstance(value, tuple | list) else (value,):
      if isinstance(item, core.ClosedJaxpr):
        found.append(item.jaxpr)
      elif isinstance(item, core.Jaxpr):
        found.append(item)
  return found
