"""Kernels as int8, with a float32 scale for each output channel.

value = int8 * scale, scale = max |value| / 127 over all axes except the last:
symmetric, rounded to the nearest, weights only. Biases, norms, positions and
small kernels stay as they are.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import flax.traverse_util as trees
import numpy as np

_LEAF = "kernel"
_LEAST = 1024  # Values of a kernel that is worth a scale per channel.
_SCALE = ".scale"  # Ends the name of a kernel's scales in a file.
_MOST = 127


@dataclasses.dataclass(frozen=True)
class Int8Kernel:
  """A kernel of a file, as an array of float32 once it is read.

  Attributes:
    values: (..., L) int8.
    scale: (L,) float32.
  """

  values: np.ndarray
  scale: np.ndarray
  dtype = np.dtype(np.float32)

  @property
  def shape(self) -> tuple[int, ...]:
    """Shape of the kernel."""
    return self.values.shape

  def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    del copy  # The product is always new.
    return np.asarray(_product(self.values, self.scale), dtype)


def pack(variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
  """Returns variables by name, their kernels in two arrays.

  Args:
    variables: Nested dicts of arrays.

  Returns:
    Arrays by their paths; "a/kernel" is int8, and "a/kernel.scale" its scales.
  """
  packed = {}
  for name, leaf in trees.flatten_dict(dict(variables), sep="/").items():
    packed[name] = leaf = np.asarray(leaf)
    if not _is_packed(name, leaf):
      continue
    kernel = leaf.astype(np.float32)
    scale = np.abs(kernel).max(axis=tuple(range(kernel.ndim - 1))) / _MOST
    scale[scale == 0] = 1.0  # All zeros, by any scale.
    packed[name] = np.rint(kernel / scale).astype(np.int8)
    packed[name + _SCALE] = scale
  return packed


def unpack(packed: Mapping[str, Any]) -> dict[str, Any]:
  """Returns nested variables of the result of `pack`.

  Args:
    packed: Arrays of NumPy, or of jax in a function that is traced.
  """
  leaves = {}
  for name, leaf in packed.items():
    if name.endswith(_SCALE):
      continue
    scale = packed.get(name + _SCALE)
    leaves[name] = leaf if scale is None else _product(leaf, scale)
  return trees.unflatten_dict(leaves, sep="/")


def rounded(variables: Mapping[str, Any]) -> dict[str, Any]:
  """Returns variables as they are after packing, kernels in float32."""
  return unpack(pack(variables))


def join_scales(leaves: Mapping[str, np.ndarray]) -> dict[str, Any]:
  """Joins the int8 kernels of a file with their scales.

  Args:
    leaves: Arrays of a file that may not be trusted.

  Returns:
    The leaves; kernels as `Int8Kernel`, without scales.

  Raises:
    ValueError: If a kernel has no scales, scales have no kernel, or they do not
      fit; the message does not name the file.
  """
  return dict(_join(leaves))


def _join(leaves: Mapping[str, np.ndarray]) -> Iterator[tuple[str, Any]]:
  for name, leaf in leaves.items():
    if name.endswith(_SCALE):
      kernel = leaves.get(name.removesuffix(_SCALE))
      if kernel is None or kernel.dtype != np.int8:
        raise ValueError(f"{name} must be the scales of an int8 kernel.")
    elif leaf.dtype == np.int8:
      scale = leaves.get(name + _SCALE)
      if scale is None or scale.dtype != np.float32 or scale.shape != leaf.shape[-1:]:
        raise ValueError(
          f"{name} {leaf.shape} is int8 and needs {leaf.shape[-1:]} scales in "
          f"float32, {name}{_SCALE}."
        )
      yield name, Int8Kernel(leaf, scale)
    else:
      yield name, leaf


def _product(values: Any, scale: Any) -> Any:
  """Returns values (..., L) times scale (L,), in float32."""
  return values.astype(np.float32) * scale.reshape((1,) * (values.ndim - 1) + (-1,))


def _is_packed(name: str, leaf: np.ndarray) -> bool:
  is_kernel = name.rpartition("/")[2] == _LEAF and leaf.ndim >= 2
  return is_kernel and leaf.size >= _LEAST
