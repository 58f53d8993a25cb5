"""A training step on 1 to 8 simulated devices: work, memory and traffic."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import jax

from temporal_jax import training
from temporal_jax.configs import base
from temporal_jax.experiment.preview import plan_step
from temporal_jax.training.parallel.collectives import read_collectives

DEVICES = (1, 2, 4, 8)
_BATCH = 16  # Clips of all devices together.
_SETTINGS: Mapping[str, Any] = MappingProxyType(
  {
    "batch_size": _BATCH,
    "data.image_size": 64,
    "data.num_classes": (400,),
    "data.num_frames": 8,
  }
)


class Step(NamedTuple):
  """A training step of a small network.

  Attributes:
    name: Name in the catalog.
    temporal: Operator in its slots.
    overrides: Other arguments of its class.
  """

  name: str
  temporal: str
  overrides: Mapping[str, Any]


STEPS: Mapping[str, Step] = MappingProxyType(
  {
    "ViT of 2 blocks, mixing": Step("vit_b16", "mixing", {"depth": 2}),
    "ResNet-18, aggregation": Step("resnet18", "aggregation", {}),
  }
)
_MESHES = ("data", "fsdp")


def measure(
  points: int | None = None, done: Collection[str] = ()
) -> Iterator[tuple[str, str, Sequence[int], Sequence[float]]]:
  """Yields (name, quantity, numbers of devices, values of one device).

  The step of configs/base.py has the same clips on any number of devices.
  Quantities are "operations", floating-point ones as XLA counts them, "memory"
  in bytes of temporaries and "sent" in bytes.

  Args:
    points: Numbers of devices, the smallest first; all by default.
    done: Names that are not measured again.
  """
  training.simulate_devices(max(DEVICES))
  counts = DEVICES[:points]
  for (title, step), axis in itertools.product(STEPS.items(), _MESHES):
    name = f"{title}; {axis}"
    if name not in done:
      found = [_figures(step, axis, count) for count in counts]
      for quantity in found[0]:
        yield name, quantity, counts, [figures[quantity] for figures in found]


def _figures(step: Step, axis: str, count: int) -> dict[str, float]:
  """Compiles the step and returns the figures of one device."""
  config = base.get_config()
  mesh = {"data": 1, "fsdp": 1, "tensor": 1, axis: count}
  config.update_from_flattened_dict(
    {
      **_SETTINGS,
      "model.name": step.name,
      "model.temporal": step.temporal,
      **{f"mesh.{name}": size for name, size in mesh.items()},
    }
  )
  config.model.overrides = dict(step.overrides)
  planned = plan_step(config, jax.devices()[:count])
  traced = planned.function.trace(planned.components.shapes, planned.batch)
  compiled = traced.lower().compile()
  collectives = read_collectives(compiled.as_text(), count)
  return {
    "operations": compiled.cost_analysis()["flops"],
    "memory": compiled.memory_analysis().temp_size_in_bytes,
    "sent": sum(collective.sent for collective in collectives),
  }
