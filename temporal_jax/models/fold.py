"""Batch norms folded into the convolutions before them, for inference."""

import re
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from flax import traverse_util

from temporal_jax.layers import BatchNorm

Path = tuple[str, ...]

# Leaves that a folded scope may have: its output is linear in kernel and bias,
# and a route function only scales either for each frame.
_LINEAR = {"kernel", "bias", "route"}
# The layer before a norm that is called "norm": a plain convolution, the one
# over space in `FactorisedConv`, the one that narrows in `RouteMlp`.
_BEFORE_NORM = ("conv", "space", "reduce")


def fold_batch_norm(variables: Mapping[str, Any]) -> dict[str, Any]:
  """Folds every batch norm that follows a convolution into it.

  With f = scale / sqrt(var + 1e-5), in float32,

  kernel' = f kernel, bias' = f bias; the norm keeps only bias - f mean.

  The model is the same, and gives the same with `train=False`; `train=True`
  raises, since the statistics are gone. Works under `jit` and `eval_shape`.
  Outside of them NumPy computes it: a program for each shape of a network would
  take longer to compile than the network is folded in.

  The names of sibling scopes determine which convolution a norm follows:
  "{a}norm{i}" follows "{a}conv{i}", e.g. "stem_norm" "stem_conv" and "norm2"
  "conv2", or else its last part, "time" (R(2+1)D) or, next to a "time_norm",
  "space"; "{a}_norm" follows "{a}" if there is no such; and "norm" follows
  "conv", "space" or "reduce". A norm stays as it is if there is no such scope,
  if the scope has anything except a kernel with its bias and route function, or
  if "after_convolution" reads the convolution too.

  Args:
    variables: Variables of a network of this package, {"params": ...,
      "batch_stats": ...}. One without such norms comes back as it is.

  Raises:
    ValueError: If there are no "params".
  """
  if "params" not in variables:
    raise ValueError(f"variables must hold 'params', got the keys {sorted(variables)}.")
  params = traverse_util.flatten_dict(dict(variables["params"]))
  stats = traverse_util.flatten_dict(dict(variables.get("batch_stats", {})))
  children = _children(params)
  norms = [path[:-1] for path in params if path[-1] == "scale"]
  for norm in [norm for norm in norms if norm + ("mean",) in stats]:
    conv = _convolution_before(norm, children)
    if conv is None:
      continue
    mean = _host(stats.pop(norm + ("mean",)))
    var = _host(stats.pop(norm + ("var",)))
    scale = _host(params.pop(norm + ("scale",)))
    factor = scale / (var + BatchNorm.epsilon) ** 0.5
    bias = _host(params[norm + ("bias",)])
    params[norm + ("bias",)] = jax.device_put(bias - factor * mean)
    for leaf in (conv + ("kernel",), conv + ("bias",)):
      if leaf in params:  # Output channels are the last axis of both.
        params[leaf] = _scale(params[leaf], factor)
  folded = {"params": traverse_util.unflatten_dict(params)}
  if "batch_stats" in variables:
    folded["batch_stats"] = traverse_util.unflatten_dict(stats)
  return {**variables, **folded}


def _scale(leaf: jax.Array, factor: jax.Array | np.ndarray) -> jax.Array:
  factor = factor.reshape((1,) * (leaf.ndim - 1) + factor.shape)  # (1, ..., 1, C)
  return jax.device_put(_host(leaf) * factor)


def _host(leaf: jax.Array) -> jax.Array | np.ndarray:
  """Returns the values of an array, or its tracer in a trace."""
  return leaf if isinstance(leaf, jax.core.Tracer) else np.asarray(leaf)


def _children(params: Mapping[Path, Any]) -> dict[Path, set[str]]:
  """Returns the names in every scope."""
  children = {}
  for path in params:
    for depth, name in enumerate(path):
      children.setdefault(path[:depth], set()).add(name)
  return children


def _convolution_before(norm: Path, children: Mapping[Path, set[str]]) -> Path | None:
  """Returns the scope of the convolution whose output only `norm` reads."""
  *parent, name = norm
  parent, siblings = tuple(parent), children[tuple(parent)]
  if name == "norm":
    found = [before for before in _BEFORE_NORM if before in siblings]
  else:
    found = [re.sub(r"norm(\d*)$", r"conv\1", name), name.removesuffix("_norm")]
    found = [before for before in found if before in siblings - {name}][:1]
  if len(found) != 1 or found[0] == _read_twice(siblings):
    return None
  conv = parent + (found[0],)
  if "time" in children[conv]:
    conv += ("space" if "time_norm" in children[conv] else "time",)
  inside = children.get(conv, set())
  return conv if "kernel" in inside and inside <= _LINEAR else None


def _read_twice(siblings: set[str]) -> str | None:
  """Returns the convolution that "after_convolution" reads as well as its norm.

  It is the 3 x 3 one that strides: the last but one of a residual block.
  """
  if "after_convolution" not in siblings:
    return None
  numbered = sorted(name for name in siblings if re.fullmatch(r"conv\d", name))
  return numbered[-2] if len(numbered) > 1 else None
