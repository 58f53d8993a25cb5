"""Gathers the values of all processes on each of them."""

import json
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

Stack = Callable[[np.ndarray], np.ndarray]


def stack_processes(values: np.ndarray) -> np.ndarray:
  """Returns the arrays of all P processes, (P, *shape), in their order.

  Every process must call, with the same shape.

  Args:
    values: Array of this process.

  Raises:
    ValueError: If numbers have more than the 32 bits that JAX would keep.
  """
  values = np.asarray(values)
  if values.dtype.itemsize > 4:
    raise ValueError(f"numbers of at most 32 bits can be gathered, got {values.dtype}.")
  if jax.process_count() == 1:
    return values[None]
  return np.asarray(multihost_utils.process_allgather(values))


def gather_json(value: Any, stack: Stack = stack_processes) -> list[Any]:
  """Returns the values of all processes in their order.

  Every process must call.

  Args:
    value: This process's value, which JSON can hold: numbers, texts, lists,
      dicts with texts for keys.
    stack: Gathers arrays of one shape.
  """
  text = np.frombuffer(json.dumps(value).encode(), np.uint8)
  lengths = stack(np.array(text.size, np.int32))
  padded = np.zeros(lengths.max(), np.uint8)
  padded[: text.size] = text
  return [
    json.loads(row[:length].tobytes())
    for row, length in zip(stack(padded), lengths, strict=True)
  ]
