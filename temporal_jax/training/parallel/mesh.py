"""The device mesh, and how clips are sharded over it."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import ParamSpec, TypeVar

import jax
import numpy as np
from jax.experimental import mesh_utils
from jax.sharding import NamedSharding, PartitionSpec

AXES = ("data", "fsdp", "tensor")
BATCH_AXES = ("data", "fsdp")  # Clips go over both together.
P, R = ParamSpec("P"), TypeVar("R")
LARGEST = 256  # Simulated devices.


def create_mesh(
  axes: Mapping[str, int], devices: Sequence[jax.Device] | None = None
) -> jax.sharding.Mesh:
  """Lays devices out on the axes data, fsdp and tensor.

  Where the devices are wired as a grid, neighbours on an axis are neighbours in
  the grid, unless there is a tensor axis: that one takes the devices of a
  process.

  Args:
    axes: Size of each of `AXES`, 1 where none is given; -1 for one axis takes
      the devices left over.
    devices: All there are by default.

  Raises:
    ValueError: If an axis is unknown, the sizes do not multiply to the number
      of devices, or devices of several processes share their clips.
  """
  unknown = sorted(set(axes) - set(AXES))
  if unknown:
    raise ValueError(f"mesh axes must be in {AXES}, got {unknown}.")
  sizes = [axes.get(axis, 1) for axis in AXES]
  devices = jax.devices() if devices is None else list(devices)
  fixed = math.prod(size for size in sizes if size != -1)
  if sizes.count(-1) == 1 and fixed > 0 and len(devices) % fixed == 0:
    sizes[sizes.index(-1)] = len(devices) // fixed
  if min(sizes) < 1 or math.prod(sizes) != len(devices):
    raise ValueError(f"mesh {dict(axes)} does not fit {len(devices)} devices.")
  if sizes[-1] > 1:
    by_process = sorted(devices, key=lambda chip: (chip.process_index, chip.id))
    grid = np.reshape(by_process, sizes)
  else:
    grid = mesh_utils.create_device_mesh(sizes, devices, allow_split_physical_axes=True)
  mesh = jax.sharding.Mesh(grid, AXES)
  _check_processes(mesh)
  return mesh


def _check_processes(mesh: jax.sharding.Mesh) -> None:
  """A process reads clips of its own, so that all who share them are in it."""
  for group in mesh.devices.reshape(-1, mesh.shape["tensor"]):
    processes = sorted({device.process_index for device in group})
    if len(processes) > 1:
      raise ValueError(
        f"mesh {dict(mesh.shape)}: the tensor axis must be within one process, "
        f"but goes over processes {processes}."
      )


def simulate_devices(count: int) -> None:
  """Makes this process see `count` CPU devices and nothing else.

  To be called before anything is asked of jax's devices.

  Raises:
    ValueError: If `count` is not in 1 to 256, or it is too late.
  """
  if not 1 <= count <= LARGEST:
    raise ValueError(f"simulated devices must be 1 to {LARGEST}, got {count}.")
  try:
    jax.config.update("jax_num_cpu_devices", count)
    jax.config.update("jax_platforms", "cpu")
  except RuntimeError as error:
    raise ValueError(
      f"{count} devices cannot be simulated any more: jax has started with "
      f"{len(jax.devices())}."
    ) from error


def default_dtype() -> str:
  """Returns the dtype in which the devices compute fast, for activations.

  Parameters, statistics and losses are float32 everywhere.
  """
  return "float32" if jax.default_backend() == "cpu" else "bfloat16"


def replicated(mesh: jax.sharding.Mesh) -> NamedSharding:
  """Every device holds the whole array."""
  return NamedSharding(mesh, PartitionSpec())


def over_batch(mesh: jax.sharding.Mesh) -> NamedSharding:
  """Axis 0 is spread over the axes data and fsdp together."""
  return NamedSharding(mesh, PartitionSpec(BATCH_AXES))


def within_mesh(function: Callable[P, R], mesh: jax.sharding.Mesh) -> Callable[P, R]:
  """Returns `function`, in which operators know the mesh.

  Where an operator has a kernel of its own, the compiler cannot divide it among
  devices; the operator does, if it knows of them.
  """

  @functools.wraps(function)
  def call(*args: P.args, **kwargs: P.kwargs) -> R:
    with jax.sharding.use_abstract_mesh(mesh.abstract_mesh):
      return function(*args, **kwargs)

  return call


def check_batch_size(batch_size: int, mesh: jax.sharding.Mesh) -> None:
  """Raises ValueError unless every device gets the same number of clips.

  Devices that differ only in the tensor axis have the same clips.
  """
  shards = math.prod(mesh.shape[axis] for axis in BATCH_AXES)
  if batch_size < 1 or batch_size % shards:
    raise ValueError(
      f"batch_size {batch_size} must be a positive multiple of the {shards} "
      f"devices on the axes {' and '.join(BATCH_AXES)}."
    )


def place_batch(
  batch: Mapping[str, np.ndarray], mesh: jax.sharding.Mesh
) -> dict[str, jax.Array]:
  """Puts a process's share of a batch on the devices, except for names."""
  sharding = over_batch(mesh)
  return {
    name: jax.make_array_from_process_local_data(sharding, values)
    for name, values in batch.items()
    if values.dtype.kind != "U"
  }
