"""The device mesh and what lies where on it."""

import math
from collections.abc import Mapping

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

AXES = ("data",)


def create_mesh(axes: Mapping[str, int]) -> jax.sharding.Mesh:
  """Lays all devices out on named axes.

  Args:
    axes: Size of each of `AXES`; -1 for one axis takes the devices left over.

  Raises:
    ValueError: If an axis is unknown or the sizes do not multiply to the number
      of devices.
  """
  unknown = sorted(set(axes) - set(AXES))
  if unknown:
    raise ValueError(f"mesh axes must be in {AXES}, got {unknown}.")
  sizes = [axes.get(axis, 1) for axis in AXES]
  devices = jax.devices()
  fixed = math.prod(size for size in sizes if size != -1)
  if sizes.count(-1) == 1 and len(devices) % fixed == 0:
    sizes[sizes.index(-1)] = len(devices) // fixed
  if -1 in sizes or math.prod(sizes) != len(devices):
    raise ValueError(f"mesh {dict(axes)} does not fit {len(devices)} devices.")
  return jax.sharding.Mesh(np.reshape(devices, sizes), AXES)


def default_dtype() -> str:
  """Returns the dtype in which the devices compute fast: that of activations.

  Parameters, statistics and losses are float32 everywhere.
  """
  return "float32" if jax.default_backend() == "cpu" else "bfloat16"


def replicated(mesh: jax.sharding.Mesh) -> NamedSharding:
  """Every device holds the whole array."""
  return NamedSharding(mesh, PartitionSpec())


def over_batch(mesh: jax.sharding.Mesh) -> NamedSharding:
  """Axis 0 is spread over the data axis."""
  return NamedSharding(mesh, PartitionSpec("data"))


def check_batch_size(batch_size: int, mesh: jax.sharding.Mesh) -> None:
  """Raises ValueError unless every device gets the same number of clips."""
  shards = mesh.shape["data"]
  if batch_size < 1 or batch_size % shards:
    raise ValueError(
      f"batch_size {batch_size} must be a positive multiple of the {shards} "
      "devices on the data axis."
    )


def place_batch(
  batch: Mapping[str, np.ndarray], mesh: jax.sharding.Mesh
) -> dict[str, jax.Array]:
  """Puts a process's share of a batch on the devices; names stay behind."""
  sharding = over_batch(mesh)
  return {
    name: jax.make_array_from_process_local_data(sharding, values)
    for name, values in batch.items()
    if values.dtype.kind != "U"
  }
