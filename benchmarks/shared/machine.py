"""The machine of a benchmark, and how fast it multiplies matrices."""

import os
import pathlib
import platform
import re
import statistics
import time
from types import MappingProxyType

import jax
import jax.numpy as jnp
import torch

# Environment variables that decide how fast XLA is.
ENVIRONMENT = ("XLA_FLAGS", "GLIBC_TUNABLES")

# Dense bfloat16 operations per second, as NVIDIA states them.
_PEAKS = MappingProxyType(
  {
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA A100 80GB PCIe": 312e12,
    "NVIDIA H100 PCIe": 756e12,
    "NVIDIA H100 80GB HBM3": 989e12,
    "NVIDIA H200": 989e12,
    "NVIDIA L4": 121e12,
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
    **{name: os.environ.get(name, "") for name in ENVIRONMENT},
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
  x = jnp.ones((size, size), dtype)
  multiply = jax.jit(jnp.matmul)
  multiply(x, x).block_until_ready()
  seconds = []
  for _ in range(9):
    start = time.perf_counter()
    multiply(x, x).block_until_ready()
    seconds.append(time.perf_counter() - start)
  return size**3 / statistics.median(seconds)


def peak_flops(dtype: jax.typing.DTypeLike) -> float | None:
  """Returns the device's peak operations per second.

  A multiply-add is two. None for an unknown device or dtype.
  """
  if jnp.dtype(dtype) != jnp.bfloat16:
    return None
  return _PEAKS.get(jax.devices()[0].device_kind)
