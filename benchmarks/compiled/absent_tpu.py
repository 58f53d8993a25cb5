"""A TPU that need not be there, as the target of compilation."""

import importlib.metadata
import importlib.util
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jax
from jax.experimental import topologies

from temporal_jax import training

# The name XLA gives to the text of a program for TPUs with its layouts.
TEXT_FILE = "*.after_optimizations_after_buffer_assignment.txt"
# By default libtpu asks a server in Google's cloud about its machine, with many
# retries, and lets only one process use it.
ENVIRONMENT: Mapping[str, str] = MappingProxyType(
  {
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
    "TPU_SKIP_MDS_QUERY": "1",
  }
)


def check_libtpu() -> None:
  """Raises ImportError if libtpu is not installed."""
  if importlib.util.find_spec("libtpu") is None:
    raise ImportError(
      "compiling for a TPU needs libtpu: run `pip install '.[tpu]'` in a copy of the "
      "repository."
    )


def libtpu_version() -> str:
  """Returns the version of libtpu, "unknown" if it does not state it."""
  try:
    return importlib.metadata.version("libtpu")
  except importlib.metadata.PackageNotFoundError:
    return "unknown"


def device(chip: str) -> jax.Device:
  """Returns one chip of a kind, e.g. "v5e"."""
  topology = topologies.get_topology_desc(
    platform="tpu",
    topology_name=f"{chip}:1x1x1",
    chips_per_host_bounds=(1, 1, 1),
  )
  return topology.devices[0]


def lower(function: Any, shapes: Any, device: jax.Device) -> jax.stages.Lowered:
  """Lowers a function of arrays on a device."""
  sharding = jax.sharding.SingleDeviceSharding(device)
  placed = training.with_shardings(shapes, sharding)
  return jax.jit(function).trace(*placed).lower(lowering_platforms=("tpu",))
