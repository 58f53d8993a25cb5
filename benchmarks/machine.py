"""What a benchmark ran on, and how fast that machine multiplies matrices."""

import os
import platform
import statistics
import time

import jax
import jax.numpy as jnp
import torch

# What of the environment decides how fast XLA is.
_ENVIRONMENT = ("XLA_FLAGS", "GLIBC_TUNABLES")


def describe() -> dict[str, str | int]:
  """Returns the device, the versions and the environment."""
  found = {
    "device": jax.devices()[0].device_kind,
    "platform": jax.default_backend(),
    "processor": platform.processor() or platform.machine(),
    "jax": jax.__version__,
    "torch": torch.__version__,
    "torch_threads": torch.get_num_threads(),
    **{name: os.environ.get(name, "") for name in _ENVIRONMENT},
  }
  if torch.cuda.is_available():
    found["torch_device"] = torch.cuda.get_device_name()
  return found


def matmul_rate(dtype: jax.typing.DTypeLike) -> float:
  """Returns the multiply-adds a second of one large product in JAX."""
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
