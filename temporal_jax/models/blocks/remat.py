"""Rematerialisation of blocks (gradient checkpointing)."""

from typing import Any

import flax.linen as nn
import jax


def apply_block(
  block: nn.Module, x: jax.Array, train: bool, *, remat: bool, **kwargs: Any
) -> tuple[jax.Array, dict]:
  """Applies a block; with `remat` only its input is kept for the gradients.

  No value changes: memory is paid for by a second forward pass.

  Args:
    block: Called as `block(x, train, **kwargs) -> (x, aux)`.
    x: Its input.
    train: Handed to the block.
    remat: Whether its results are computed again.
    **kwargs: Handed to the block as they are.
  """
  if not remat:
    return block(x, train, **kwargs)
  again = nn.remat(lambda block, x: block(x, train, **kwargs))
  return again(block, x)
