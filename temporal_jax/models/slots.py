"""Temporal slots: where a temporal operator sits in a backbone.

`OPERATORS` in a layer's module lists the slots that the layer fills, and
`temporal_jax.models.operators` collects them by name.
"""

import dataclasses
import functools
from collections.abc import Callable, Collection, Iterator
from typing import Any

import flax.linen as nn
import jax

from temporal_jax.layers import Chain

Factory = Callable[..., nn.Module]  # Called as factory(name=...).


@dataclasses.dataclass(frozen=True)
class Blocks:
  """Some blocks of a network, for `Temporal.where`.

  Attributes:
    stages: Stages, from 0; None for all.
    blocks: Blocks of each stage, from 0; None for all.
    every: 2 for the first block of each stage and every second after it, and so
      on.
  """

  stages: tuple[int, ...] | None = None
  blocks: tuple[int, ...] | None = None
  every: int = 1

  def __call__(self, stage: int, block: int) -> bool:
    """Returns whether a block is one of them."""
    return (
      (self.stages is None or stage in self.stages)
      and (self.blocks is None or block in self.blocks)
      and block % self.every == 0
    )


@dataclasses.dataclass(frozen=True)
class Temporal:
  """Layers in a backbone's temporal slots; None leaves a slot empty.

  A slot holds a factory of modules. A module is called as
  `module(x, train=train) -> (x, aux)` over maps (B, T, H, W, C) or tokens
  (B, T, N, D), class token first. What a module leaves open, by None, it takes
  from the backbone, see `adapt`.

  Attributes:
    branch_input: Layer at the start of a residual branch (TSM, TAM).
    convolution: Instead of the k x k convolution (TAdaConv); its factory takes
      `features`, `size` and `stride` as well, and `taps` and `time_stride` if
      the convolution is one over time too.
    temporal_convolution: Replaces the convolution along time after that one
      (R(2+1)D); its factory takes the same arguments.
    after_convolution: Layer over the output of that convolution, whose result
      is added to the convolution's norm (strided temporal pooling); see
      `layers.StridedTemporalPooling.shortcut` for other ways to join the two.
    block_input: Layer on the whole stream, before a block (ATM, TokenT1D).
    attention_branch: Extra residual branch before attention (TAdaFormer, ILA,
      the temporal part of divided attention and of ATA).
    keys_values: Layer on keys and on values, heads contiguous (space-time
      mixing).
    attention: Instead of attention within each frame (joint).
    mlp_input: Layer on the whole stream, between attention and MLP (TokenT1D).
    mlp_branch: Extra residual branch before the MLP (TAdaFormer).
    where: (stage, block) -> whether that block's slots are filled; both count
      from 0, see `Blocks`.
    followed_by: A second operator, with slots and a `where` of its own. Where
      both fill a slot of the whole stream, it runs after the first; no other
      slot may be filled twice.
  """

  branch_input: Factory | None = None
  convolution: Factory | None = None
  temporal_convolution: Factory | None = None
  after_convolution: Factory | None = None
  block_input: Factory | None = None
  attention_branch: Factory | None = None
  keys_values: Factory | None = None
  attention: Factory | None = None
  mlp_input: Factory | None = None
  mlp_branch: Factory | None = None
  where: Callable[[int, int], bool] = Blocks()
  followed_by: "Temporal | None" = None

  def filled(self) -> set[str]:
    """Returns the names of the slots that hold something."""
    own = set(self.own_slots())
    return own | (self.followed_by.filled() if self.followed_by else set())

  def own_slots(self) -> tuple[str, ...]:
    """Returns the filled slots, without the slots of `followed_by`."""
    return tuple(slot for slot in SLOTS if getattr(self, slot) is not None)

  def online(self) -> bool:
    """Returns whether all that fills slots can run on one frame at a time.

    See `layers.online_state`. It cannot where a slot calls its module twice, as
    `keys_values` does, or asks it for more than the frame.
    """
    factories = {slot: getattr(self, slot) for slot in SLOTS}
    own = all(
      slot in _CHAINED and getattr(factory(name=None), "online", False)
      for slot, factory in factories.items()
      if factory is not None
    )
    return own and (self.followed_by is None or self.followed_by.online())

  def check(
    self, backbone: str, slots: Collection[str], *, given: Collection[str] = ()
  ) -> None:
    """Raises ValueError if the slots do not fit a backbone.

    Args:
      backbone: Its class.
      slots: The slots that it has; no other one may be filled.
      given: Further arguments that it gives to the factory of `convolution`,
        which may not have them already.
    """
    foreign = self.filled() - set(slots)
    if foreign:
      raise ValueError(
        f"{backbone} has the temporal slots {sorted(slots)}, not {sorted(foreign)}."
      )
    keywords, _, _ = _unwrap(self.convolution)
    for name in given:
      if name in keywords:
        raise ValueError(
          f"{backbone} gives {name} to the layer in its slot convolution, got "
          f"{name}={keywords[name]!r} as well: leave it out."
        )
    if self.followed_by is not None:
      self.followed_by.check(backbone, slots, given=given)

  def adapted(self, **backbone: Any) -> "Temporal":
    """Returns slots whose modules agree with their backbone, see `adapt`.

    For the slots of one block, see `at`.
    """
    slots = {slot: getattr(self, slot) for slot in SLOTS}
    return dataclasses.replace(
      self,
      **{
        slot: adapt(factory, **backbone)
        for slot, factory in slots.items()
        if factory is not None
      },
    )

  def at(self, stage: int, block: int) -> "Temporal":
    """Returns the slots of one block: these, or empty ones."""
    here = Temporal()
    if self.where(stage, block):
      here = dataclasses.replace(self, where=Blocks(), followed_by=None)
    if self.followed_by is None:
      return here
    return _join(here, self.followed_by.at(stage, block))


# Slots of the whole stream: the output of one module may enter the next.
_CHAINED = {"branch_input", "block_input", "mlp_input"}
SLOTS = tuple(
  field.name
  for field in dataclasses.fields(Temporal)
  if field.name not in ("where", "followed_by")
)


def _join(first: Temporal, second: Temporal) -> Temporal:
  """Fills a block's slots with two operators' layers."""
  slots = {}
  for slot in first.filled() | second.filled():
    parts = [getattr(first, slot), getattr(second, slot)]
    parts = [part for part in parts if part is not None]
    if len(parts) > 1 and slot not in _CHAINED:
      raise ValueError(f"the slot {slot!r} is filled twice.")
    slots[slot] = parts[0]
    if len(parts) > 1:
      slots[slot] = functools.partial(Chain, tuple(parts))
  return Temporal(**slots)


def adapt(factory: Factory, **backbone: Any) -> Factory:
  """Returns a factory whose modules agree with their backbone.

  An attribute that a module leaves open, by None, gets the backbone's value;
  one that is set stays. A factory that is no class, nor a `functools.partial`
  of one, is returned as it is.

  Args:
    factory: Factory of a slot, or of a head.
    **backbone: Settings of the backbone, e.g. `num_heads`; None for one that it
      leaves open itself.
  """
  if getattr(factory, "func", None) is Chain:
    parts = tuple(adapt(part, **backbone) for part in factory.args[0])
    return functools.partial(Chain, parts)
  taken = {
    name: backbone[name] for name in _open(factory) if backbone.get(name) is not None
  }
  return functools.partial(factory, **taken) if taken else factory


def _open(factory: Factory) -> Iterator[str]:
  """Yields the attributes that a factory's modules leave open."""
  keywords, positional, made = _unwrap(factory)
  if not (isinstance(made, type) and issubclass(made, nn.Module)):
    return
  for field in dataclasses.fields(made)[len(positional) :]:
    if keywords.get(field.name, field.default) is None:
      yield field.name


def _unwrap(
  factory: Factory | None,
) -> tuple[dict[str, Any], tuple[Any, ...], Factory | None]:
  """Returns the arguments of a factory by name, the others, and its class."""
  keywords, positional = {}, ()
  while isinstance(factory, functools.partial):
    keywords = {**factory.keywords, **keywords}
    positional = (*factory.args, *positional)
    factory = factory.func
  return keywords, positional, factory


def apply_slot(
  factory: Factory | None, name: str, x: jax.Array, train: bool
) -> tuple[jax.Array, dict]:
  """Runs the module of a slot, or passes `x` through an empty one.

  Must be called in a compact method: the module's parameters go under `name`.
  """
  if factory is None:
    return x, {}
  return factory(name=name)(x, train=train)
