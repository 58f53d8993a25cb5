"""A stage: blocks that follow one another, with their temporal slots."""

from collections.abc import Callable

import flax.linen as nn
import jax

from temporal_jax.models.blocks.remat import apply_block
from temporal_jax.models.slots import Temporal, apply_slot


def apply_stage(
  x: jax.Array,
  train: bool,
  *,
  name: str,
  index: int,
  num_blocks: int,
  make_block: Callable[..., nn.Module],
  temporal: Temporal,
  remat: bool,
) -> tuple[jax.Array, dict]:
  """Runs the blocks of a stage, each after the layer in `block_input`.

  Must be called in a compact method: the blocks' parameters go under
  "{name}_block{j}", the slot's under "{name}_block{j}_input", and the further
  outputs of both under "{name}_block{j}" of the second result.

  Args:
    x: Features (B, T, H, W, C).
    train: Whether the blocks train.
    name: Start of the blocks' names.
    index: Number of the stage; `Temporal.where` is asked for it.
    num_blocks: Number of its blocks.
    make_block: Called as `make_block(place, temporal=..., name=...)` with the
      block's place in the stage, from 0; returns a block as `apply_block`
      takes it.
    temporal: Layers in the temporal slots of the network.
    remat: See `apply_block`.
  """
  aux = {}
  for place in range(num_blocks):
    block_name = f"{name}_block{place + 1}"
    slots = temporal.at(index, place)
    x, before = apply_slot(slots.block_input, f"{block_name}_input", x, train)
    block = make_block(place, temporal=slots, name=block_name)
    x, within = apply_block(block, x, train, remat=remat)
    if before or within:
      aux[block_name] = before | within
  return x, aux
