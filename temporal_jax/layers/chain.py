"""Several modules in one temporal slot."""

from collections.abc import Callable, Sequence

import flax.linen as nn
import jax


class Chain(nn.Module):
  """Runs modules one after another.

  Attributes:
    parts: Makers of modules (x, train) -> (x, aux), called with a name: "part1"
      and so on.
  """

  parts: Sequence[Callable[..., nn.Module]]

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Applies the modules to `x`, one after the other.

    Of values under the same name in aux, the last one stays.
    """
    aux = {}
    for i, part in enumerate(self.parts):
      x, more = part(name=f"part{i + 1}")(x, train=train)
      aux |= more
    return x, aux
