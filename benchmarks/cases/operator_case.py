"""One case of benchmarks.operators: an operator in both libraries."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax


class Array(NamedTuple):
  """An input: our shape, and the einops pattern to torch's layout."""

  shape: tuple[int, ...]
  pattern: str

  def of_batch(self, batch: int) -> "Array":
    """Returns the input for a number of clips, whose axis is "n"."""
    axes = self.pattern.partition(" -> ")[0].split(" ")
    sizes = zip(axes, self.shape, strict=True)
    shape = tuple(batch if axis == "n" else size for axis, size in sizes)
    return self._replace(shape=shape)


class OperatorCase(NamedTuple):
  """An operator at the sizes of one network, ours and the authors'.

  Attributes:
    name: Operator, and the network whose sizes it has.
    arrays: Returns the inputs for a number of frames.
    ours: Function of our arrays.
    theirs: Function of torch's arrays and the number of frames.
    out: einops pattern from our output to torch's.
    frames: Frames of a clip, T.
    scratch: Floats that the paper's formula needs in addition to inputs and
      output; attention across frames counts a copy of them in the order of its
      products.
    linear: Whether the paper's cost is linear in T.
    training: Function of our arrays in training, where norms take the batch's
      statistics; for modules, which cast their weights to the dtype of the
      features themselves.
    products: Multiply-adds of the paper's formula for one clip of a number of
      frames; by default those of `theirs` count.
    of_pixels: Whether the first input is a clip's pixels, whose gradient no
      training step computes.
  """

  name: str
  arrays: Callable[[int], Sequence[Array]]
  ours: Callable[..., jax.Array]
  theirs: Callable[..., Any]
  out: str
  frames: int = 8
  scratch: Callable[[int], int] = lambda frames: 0
  linear: bool = True
  training: Callable[..., jax.Array] | None = None
  products: Callable[[int], int] | None = None
  of_pixels: bool = False

  def arrays_of(self, frames: int, batch: int) -> list[Array]:
    """Returns the inputs for a number of clips; weights have no such axis."""
    return [array.of_batch(batch) for array in self.arrays(frames)]


# Patterns from our layout to the reference code's.
FOLDED = "n t h w c -> (n t) c h w"
VIDEO = "n t h w c -> n c t h w"
FRAMES = "n t h w c -> n t c h w"
TOKENS = "n t l c -> l (n t) c"
HEADS = "n t l m d -> (n t) l m d"

# A dense 3 x 3 convolution transforms a few frames at a time to tiles of four
# times their size, and also its result, however long the clip is.
TILES = 2 * 4 * 2**19
