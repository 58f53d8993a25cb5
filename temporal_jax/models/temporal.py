"""Temporal slots: where a temporal operator sits in a backbone."""

import dataclasses
from collections.abc import Callable, Collection

import flax.linen as nn
import jax

Factory = Callable[..., nn.Module]  # Called as factory(name=...).


def everywhere(stage: int, block: int) -> bool:
  """Fills every block: `stage` and `block` count from 0."""
  del stage, block
  return True


@dataclasses.dataclass(frozen=True)
class Temporal:
  """What sits in a backbone's temporal slots; None leaves a slot empty.

  A slot module is called as `module(x, train=train) -> (x, aux)`.

  Attributes:
    branch_input: At the start of a residual branch, over (B, T, H, W, C).
    where: (stage, block) -> whether that block's slots are filled.
  """

  branch_input: Factory | None = None
  where: Callable[[int, int], bool] = everywhere

  def filled(self) -> set[str]:
    """Returns the names of the slots that hold something."""
    slots = {field.name for field in dataclasses.fields(self)} - {"where"}
    return {slot for slot in slots if getattr(self, slot) is not None}

  def check(self, backbone: str, slots: Collection[str]) -> None:
    """Raises ValueError if a filled slot is not among the backbone's."""
    foreign = self.filled() - set(slots)
    if foreign:
      raise ValueError(
        f"{backbone} has the temporal slots {sorted(slots)}, not "
        f"{sorted(foreign)}."
      )


def apply_slot(
  factory: Factory | None, name: str, x: jax.Array, train: bool
) -> tuple[jax.Array, dict]:
  """Runs the module of a slot, or passes `x` through an empty one.

  Must be called in a compact method: the module's parameters go under `name`.
  """
  if factory is None:
    return x, {}
  return factory(name=name)(x, train=train)
