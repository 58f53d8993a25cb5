"""Memory and traffic of a training step per device, without running it."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
from jax.experimental import topologies

from temporal_jax.display import tables
from temporal_jax.training.parallel.collectives import Collective, read_collectives
from temporal_jax.training.state import TrainState


class Layout(NamedTuple):
  """A training step on a mesh; bytes are per device.

  Attributes:
    mesh: Devices on each axis.
    device: Kind for which the step was compiled.
    held: Bytes of the parameters, the optimizer's state, the moving averages,
      all else in the state, and the batch.
    temporaries: Further bytes that the compiled step needs: gradients,
      activations kept for them, gathered parameters.
    collectives: Data that the devices exchange in a step.
  """

  mesh: dict[str, int]
  device: str
  held: dict[str, int]
  temporaries: int
  collectives: tuple[Collective, ...]


def step_layout(
  step: Callable[[TrainState, Mapping[str, Any]], TrainState],
  state: TrainState,
  batch: Mapping[str, jax.ShapeDtypeStruct],
  mesh: jax.sharding.Mesh,
) -> Layout:
  """Compiles a step ahead of time and reads its memory and traffic.

  Nothing is allocated on the devices, which may be simulated
  (`simulate_devices`) or absent (`absent_tpu`).

  Args:
    step: The jitted step.
    state: Shapes with shardings, see `with_shardings`.
    batch: Shapes with shardings of the whole batch.
    mesh: Mesh of both.
  """
  device = mesh.devices.flat[0]
  # None compiles for the devices of this machine.
  platforms = ("tpu",) if device.platform == "tpu" else None
  traced = step.trace(state, batch)
  compiled = traced.lower(lowering_platforms=platforms).compile()
  held = {
    "parameters": _bytes_on_device(state.params),
    "optimizer": _bytes_on_device(state.opt_state),
    "averages": _bytes_on_device(state.ema),
    "statistics, sums": _bytes_on_device((state.step, state.batch_stats, state.window)),
    "batch": _bytes_on_device(batch),
  }
  return Layout(
    mesh=dict(mesh.shape),
    device=device.device_kind,
    held=held,
    temporaries=compiled.memory_analysis().temp_size_in_bytes,
    collectives=read_collectives(compiled.as_text(), mesh.size),
  )


def with_shardings(shapes: Any, shardings: Any) -> Any:
  """Returns the shapes with their shardings.

  Args:
    shapes: Tree of arrays or of shapes.
    shardings: Tree of the same structure, or one sharding for all.
  """
  if isinstance(shardings, jax.sharding.Sharding):
    sharding = shardings
    shardings = jax.tree.map(lambda _: sharding, shapes)
  return jax.tree.map(
    lambda x, sharding: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding),
    shapes,
    shardings,
  )


def absent_tpu(name: str) -> list[jax.Device]:
  """Returns the chips of a TPU that need not be there, to compile for.

  Args:
    name: Kind and grid of its chips, e.g. "v5p:4x4x4".

  Raises:
    ValueError: If there is no such TPU, or no libtpu of jax's version.
  """
  try:
    topology = topologies.get_topology_desc(platform="tpu", topology_name=name)
  except Exception as error:  # jaxlib raises its own kinds.
    raise ValueError(
      f"cannot compile for the TPU {name!r}; it must be a kind and its grid, "
      f"as in 'v5p:4x4x4', and libtpu be installed, as by pip install \".[tpu]\": "
      f"{error}"
    ) from error
  return list(topology.devices)


def describe_layout(layout: Layout) -> str:
  """Returns tables of the bytes and of the collectives, 80 columns wide."""
  axes = ", ".join(f"{axis} {size}" for axis, size in layout.mesh.items())
  number = math.prod(layout.mesh.values())
  held = {**layout.held, "temporaries": layout.temporaries}
  held["together"] = sum(held.values())
  memory = tables.columns(
    ((name, f"{size:,}") for name, size in held.items()),
    head=("on each device", "bytes"),
    right=(1,),
  )
  head = ("collectives", "among", "number", "bytes", "sent and received", "waiting")
  exchange = tables.columns(
    map(_cells, layout.collectives), head=head, right=range(1, len(head))
  )
  title = f"{number} x {layout.device}: {axes}"
  parts = (tables.render(part, width=80) for part in (title, memory, exchange))
  return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _cells(row: Collective) -> tuple[str, ...]:
  """Returns the cells of a row of `describe_layout`."""
  least = "" if row.exact else ">= "  # A loop of unknown length.
  sizes = (row.count, row.size, row.sent, row.waiting)
  return row.kind, f"{row.devices}", *(f"{least}{size:,}" for size in sizes)


def _bytes_on_device(shapes: Any) -> int:
  """Returns the bytes of the parts that one device holds."""
  return sum(
    math.prod(leaf.sharding.shard_shape(leaf.shape)) * leaf.dtype.itemsize
    for leaf in jax.tree.leaves(shapes)
  )
