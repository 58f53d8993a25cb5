"""The machine of a benchmark, and how fast it multiplies matrices."""

import os
import pathlib
import platform
import re
import statistics
import time
from collections.abc import Callable
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import torch

from benchmarks.compiled import chips
from benchmarks.shared import provenance


class Peak(NamedTuple):
  """Peak rates of a chip, as NVIDIA states them.

  Attributes:
    flops: Dense bfloat16 operations per second; a multiply-add is two.
    bytes_per_second: Bandwidth of its memory.
  """

  flops: float
  bytes_per_second: float


# By the name that JAX gives the device.
_PEAKS = MappingProxyType(
  {
    "NVIDIA A100-SXM4-40GB": Peak(312e12, 1.555e12),
    "NVIDIA A100-SXM4-80GB": Peak(312e12, 2.039e12),
    "NVIDIA A100 80GB PCIe": Peak(312e12, 1.935e12),
    "NVIDIA H100 PCIe": Peak(756e12, 2.0e12),
    "NVIDIA H100 80GB HBM3": Peak(
      chips.GPUS["h100"].peak, chips.GPUS["h100"].bandwidth
    ),
    "NVIDIA H200": Peak(chips.GPUS["h200"].peak, chips.GPUS["h200"].bandwidth),
    "NVIDIA L4": Peak(121e12, 300e9),
  }
)


def describe() -> dict[str, str | int]:
  """Returns the device, the versions and the environment."""
  found = {
    "device": jax.devices()[0].device_kind,
    "platform": jax.default_backend(),
    "processor": processor(),
    "instructions": torch.backends.cpu.get_cpu_capability(),
    "jax": jax.__version__,
    "torch": torch.__version__,
    "torch_threads": torch.get_num_threads(),
    **{name: os.environ.get(name, "") for name in provenance.ENVIRONMENT},
  }
  if torch.cuda.is_available():
    found["torch_device"] = torch.cuda.get_device_name()
  return found


def processor() -> str:
  """Returns the processor's name from /proc/cpuinfo, or its kind."""
  try:
    about = pathlib.Path("/proc/cpuinfo").read_text()
  except OSError:
    about = ""
  name = re.search(r"^model name\s*: (.+)$", about, re.MULTILINE)
  return name[1] if name else platform.processor() or platform.machine()


def matmul_rate(dtype: jax.typing.DTypeLike) -> float:
  """Returns the multiply-adds per second of one large product in JAX."""
  size = 1024 if jax.default_backend() == "cpu" else 8192
  # Random: a GPU multiplies zeros and ones faster, at less power.
  x = jax.random.normal(jax.random.key(0), (size, size), dtype)
  return size**3 / _median_seconds(jax.jit(jnp.matmul), x, x)


def copy_rate() -> float:
  """Returns the bytes per second of one large copy in JAX, read and written."""
  size = 2**24 if jax.default_backend() == "cpu" else 2**31
  x = jnp.ones(size // 4, jnp.float32)
  return 2 * size / _median_seconds(jax.jit(lambda x: x + 1), x)


def _median_seconds(function: Callable, *arguments: jax.Array) -> float:
  """Returns the median time of a compiled function."""
  function(*arguments).block_until_ready()
  seconds = []
  for _ in range(9):
    start = time.perf_counter()
    function(*arguments).block_until_ready()
    seconds.append(time.perf_counter() - start)
  return statistics.median(seconds)


def peak(dtype: jax.typing.DTypeLike) -> Peak | None:
  """Returns the device's peak, None for an unknown device or dtype."""
  if jnp.dtype(dtype) != jnp.bfloat16:
    return None
  return _PEAKS.get(jax.devices()[0].device_kind)


def share_of_peak(
  seconds: float, dtype: jax.typing.DTypeLike, *, multiply_adds: float, moved: float = 0
) -> float | None:
  """Returns the least time that work needs on this device over its time.

  Args:
    seconds: Time that the work took.
    dtype: Dtype of the products.
    multiply_adds: Multiply-adds of the work.
    moved: Bytes that it must read and write.

  Returns:
    The share, None for an unknown device or dtype.
  """
  best = peak(dtype)
  if best is None:
    return None
  return max(2 * multiply_adds / best.flops, moved / best.bytes_per_second) / seconds
