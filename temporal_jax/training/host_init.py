"""Initialises networks on the host, by NumPy.

XLA compiles a program of its own for each shape of a random array. For a whole
network that takes ten seconds, and drawing the numbers takes one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import core

Values = Sequence[Any]
# Between these and further out, a normal number is found by drawing again until
# one fits: two of three do.
_REJECTABLE = 1.0


def run_on_host(function: Callable[..., Any], *arguments: Any) -> Any:
  """Returns the result of a function of random keys, mostly by NumPy.

  Only inputs of the result are computed: of `network.init` these are the
  initialisers, not the network. Numbers of `jax.random.uniform`, `normal` and
  `truncated_normal` come from NumPy, with a generator that the key seeds: of
  the same distribution as JAX's, but not the same numbers, and reproducible
  with the same NumPy. JAX computes operations that NumPy lacks, and all of them
  where this is called in a function that is traced.

  Args:
    function: Takes and returns trees of arrays; traced, but not compiled.
    *arguments: Its arguments, e.g. `jax.random.key(0)`.

  Returns:
    The same tree of arrays on the default device.
  """
  if any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves(arguments)):
    return function(*arguments)
  closed, shapes = jax.make_jaxpr(function, return_shape=True)(*arguments)
  values = _run(closed, jax.tree.leaves(arguments))
  return jax.device_put(jax.tree.unflatten(jax.tree.structure(shapes), list(values)))


def _run(closed: core.ClosedJaxpr, arguments: Values) -> Values:
  """Returns the results of a traced function."""
  jaxpr = closed.jaxpr
  known = dict(zip(jaxpr.constvars, closed.consts, strict=True))
  known |= dict(zip(jaxpr.invars, arguments, strict=True))

  def value(atom: core.Var | core.Literal) -> Any:
    return atom.val if isinstance(atom, core.Literal) else known[atom]

  for equation, last_used in _needed(jaxpr):
    results = _result(equation, [value(atom) for atom in equation.invars])
    known.update(zip(equation.outvars, results, strict=True))
    for variable in last_used:  # Large arrays are freed at once.
      known.pop(variable)
  return [value(atom) for atom in jaxpr.outvars]


def _needed(
  jaxpr: core.Jaxpr,
) -> Iterator[tuple[core.JaxprEqn, set[core.Var]]]:
  """Yields the equations to compute, and the variables that end with each."""
  needed, kept = _variables(jaxpr.outvars), []
  for equation in reversed(jaxpr.eqns):
    if needed.isdisjoint(equation.outvars):
      continue
    inputs = _variables(equation.invars)
    kept.append((equation, inputs - needed))
    needed |= inputs
  yield from reversed(kept)


def _variables(atoms: Values) -> set[core.Var]:
  return {atom for atom in atoms if isinstance(atom, core.Var)}


def _result(equation: core.JaxprEqn, inputs: Values) -> Values:
  """Returns the results of one step."""
  name, parameters = equation.primitive.name, equation.params
  if name == "jit" and parameters["name"] in _DRAWS:
    drawn = _draw(parameters["name"], equation.outvars[0].aval, inputs)
    if drawn is not None:
      return [drawn]
  elif name == "jit":
    return _run(parameters["jaxpr"], inputs)
  elif name in _BY_NUMPY and not _is_key(equation.outvars[0].aval):
    result = _BY_NUMPY[name](*inputs, **parameters)
    return [np.asarray(result, equation.outvars[0].aval.dtype)]
  parameters = equation.primitive.get_bind_params(parameters)
  results = equation.primitive.bind(*inputs, **parameters)
  return results if equation.primitive.multiple_results else [results]


def _draw(name: str, wanted: Any, inputs: Values) -> np.ndarray | None:
  """Returns random numbers, or None where they are JAX's to draw.

  Args:
    name: Name of a function of `jax.random`.
    wanted: Shape and dtype of the numbers.
    inputs: The key and the function's bounds.
  """
  if wanted.dtype not in (np.float32, np.float64):
    return None
  key, *bounds = inputs
  if any(map(np.ndim, inputs)) or not _is_key(key):
    return None  # Several keys, bounds for each number, or an old key.
  words = np.asarray(jax.random.key_data(key))
  generator = np.random.Generator(np.random.SFC64(words.tolist()))
  return _DRAWS[name](generator, wanted, *map(float, bounds))


def _is_key(array: Any) -> bool:
  return jax.dtypes.issubdtype(array.dtype, jax.dtypes.prng_key)


def _normal(generator: np.random.Generator, wanted: Any) -> np.ndarray:
  return generator.standard_normal(wanted.shape, wanted.dtype)


def _uniform(
  generator: np.random.Generator, wanted: Any, low: float, high: float
) -> np.ndarray:
  values = generator.random(wanted.shape, wanted.dtype)
  return low + (high - low) * values


def _truncated_normal(
  generator: np.random.Generator, wanted: Any, low: float, high: float
) -> np.ndarray | None:
  if low > -_REJECTABLE or high < _REJECTABLE:
    return None
  values = _normal(generator, wanted)
  flat = values.reshape(-1)
  outside = np.flatnonzero((flat < low) | (flat > high))
  while outside.size:
    drawn = generator.standard_normal(outside.size, wanted.dtype)
    flat[outside] = drawn
    outside = outside[(drawn < low) | (drawn > high)]
  return values


def _broadcast(x: Any, *, shape: Any, broadcast_dimensions: Any, **_) -> Any:
  sides = [1] * len(shape)
  for axis, side in zip(broadcast_dimensions, np.shape(x), strict=True):
    sides[axis] = side
  return np.broadcast_to(np.reshape(x, sides), shape)


# By the names of functions that `jax.random`'s public ones call.
_DRAWS: Mapping[str, Callable] = {
  "_normal": _normal,
  "_truncated_normal": _truncated_normal,
  "_uniform": _uniform,
}
_BY_NUMPY: Mapping[str, Callable] = {
  "add": lambda x, y, **_: np.add(x, y),
  "broadcast_in_dim": _broadcast,
  "concatenate": lambda *x, dimension, **_: np.concatenate(x, dimension),
  "convert_element_type": lambda x, **_: x,
  "div": lambda x, y, **_: np.divide(x, y),
  "mul": lambda x, y, **_: np.multiply(x, y),
  "reshape": lambda x, *, new_sizes, **_: np.reshape(x, new_sizes),
  "sqrt": lambda x, **_: np.sqrt(x),
  "squeeze": lambda x, *, dimensions, **_: np.squeeze(x, dimensions),
  "sub": lambda x, y, **_: np.subtract(x, y),
  "transpose": lambda x, *, permutation, **_: np.transpose(x, permutation),
}
