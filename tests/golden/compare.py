"""Runs a golden case through the library and measures the distance."""

import dataclasses
import functools
import math
import re
from collections.abc import Mapping
from typing import Any

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from convert_weights.apply import apply_rules, revert_rules
from convert_weights.checkpoint_format import SKIP
from tests.golden.arguments import Arguments
from tests.golden.case import Case, Tensor
from tests.golden.reference import Arrays, Reference

Options = Mapping[str, int | bool]  # Options for XLA's compiler.


def errors(
  case: Case,
  reference: Reference,
  options: Options | None = None,
  *,
  dtype: str = "float32",
) -> dict[str, float]:
  """Returns the relative error of every stored quantity of the case.

  Args:
    case: The figures.
    reference: The builder and the caller of our module.
    options: Options of the compiler, by default those of the process.
    dtype: Dtype of the computation; parameters stay float32.

  Raises:
    UnsupportedError: If ours cannot be built with the case's arguments.
    ValueError: If the weights do not fit ours.
    KeyError: If ours does not yield a quantity.
  """
  with jax.default_matmul_precision("highest"):
    found = _quantities(case, reference, options, dtype)
  return {
    name: _relative_error(found[name], expected, case.output_layouts[name].step)
    for name, expected in case.expected.items()
    if not name.startswith("input:")
  }


def _quantities(
  case: Case, reference: Reference, options: Options | None, dtype: str
) -> Arrays:
  """Computes outputs, gradients and statistics in the official layout."""
  module, rules, sizes = reference.made(Arguments(case.constructor))
  module = _computing_in(module, dtype)
  inputs, cotangents = case.inputs(), case.cotangents()
  ours = [
    _to_ours(inputs[name], tensor, reference.axes[name], sizes)
    for name, tensor in case.input_layouts.items()
  ]
  initialise = functools.partial(_initialise, module, ours)
  tensors, target = case.tensors(), jax.eval_shape(initialise)
  if case.constants():  # Values that their constructor sets, ours sets too.
    initial = revert_rules(rules, initialise())
    tensors |= {k: initial[k] for k in case.constants() if k in initial}

  def forward(inputs: Arrays, tensors: Arrays) -> tuple[Any, Any]:
    variables = apply_rules(rules, tensors, target, skip=(*SKIP, *reference.skip))
    ours = [  # In the official order, which a traced dict does not keep.
      _to_ours(inputs[name], tensor, reference.axes[name], sizes)
      for name, tensor in case.input_layouts.items()
    ]
    if not isinstance(module, nn.Module):  # A function computes in its inputs' dtype.
      ours = [x.astype(dtype) if jnp.issubdtype(x.dtype, float) else x for x in ours]
    out, state = reference.call(module, variables, case.train, *ours)
    named = reference.name_outputs(out)
    outputs = {
      name: _to_official(named[name], tensor, reference.axes[name]).astype(jnp.float32)
      for name, tensor in case.results().items()
    }
    total = sum(jnp.sum(out * cotangents[k]) for k, out in outputs.items())
    return total, (outputs, state)

  gradients, (outputs, state) = jax.jit(
    jax.grad(forward, argnums=(0, 1), has_aux=True, allow_int=True),
    compiler_options=options and dict(options),
  )(inputs, tensors)
  return {
    **outputs,
    **{f"grad:{name}": g for name, g in gradients[0].items()},
    **{f"grad_param:{name}": g for name, g in gradients[1].items()},
    **{f"state:{name}": s for name, s in revert_rules(rules, state).items()},
  }


def _computing_in(module: Any, dtype: str) -> Any:
  """Returns a module, and those among its fields, with another dtype."""
  if not isinstance(module, nn.Module):
    return module
  changed = {
    field.name: _computing_in(value, dtype)
    for field in dataclasses.fields(module)
    if isinstance(value := getattr(module, field.name), nn.Module)
    and field.name != "parent"
  }
  if any(field.name == "dtype" for field in dataclasses.fields(module)):
    changed["dtype"] = jnp.dtype(dtype)
  return module.clone(**changed)


def _initialise(module: Any, inputs: list[jax.Array]) -> dict[str, Any]:
  """Initialises the module; a function has no variables."""
  if not hasattr(module, "init"):
    return {}
  return module.init(jax.random.key(0), *inputs)


def _to_ours(
  value: jax.Array, tensor: Tensor, axes: str, sizes: dict[str, int]
) -> jax.Array:
  """Brings an official array to our layout."""
  lengths = {a: n for a, n in sizes.items() if f"{a})" in tensor.layout}
  if "(h w)" in tensor.layout:
    place = tensor.layout.split(" ").index("(h")
    lengths["h"] = math.isqrt(tensor.shape[place])
  return einops.rearrange(value, f"{tensor.layout} -> {axes}", **lengths)


def _to_official(value: jax.Array, tensor: Tensor, axes: str) -> jax.Array:
  """Brings an array in our layout to the official one."""
  groups = re.findall(r"\([^)]*\)|\S+", tensor.layout)
  sizes = zip(groups, tensor.shape, strict=True)
  lengths = {a: n for a, n in sizes if f"{a})" in axes or f"({a}" in axes}
  return einops.rearrange(value, f"{axes} -> {tensor.layout}", **lengths)


def _relative_error(found: jax.Array, expected: np.ndarray, step: int) -> float:
  """Returns the norm of the difference over the norm of what is expected."""
  found = np.asarray(found, np.float64)
  if step > 1:
    found = found.reshape(-1)[::step]
  if found.shape != expected.shape:
    return math.inf
  expected = expected.astype(np.float64)
  scale = np.linalg.norm(expected)
  return float(np.linalg.norm(found - expected) / (scale if scale else 1.0))
