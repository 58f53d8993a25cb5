"""What a row of the operators' benchmark says, and inputs that rows share."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax


class Array(NamedTuple):
  """An input: our shape, and the einops pattern to torch's layout."""

  shape: tuple[int, ...]
  pattern: str


class Row(NamedTuple):
  """One operator, ours and the authors'.

  Attributes:
    name: Operator and network it is sized for.
    arrays: Inputs for a number of frames.
    ours: Function of our arrays.
    theirs: Function of torch's arrays and the number of frames.
    out: einops pattern from our output to torch's.
    frames: Frames of a clip, T.
    scratch: Floats that the paper's formula needs beside inputs and output;
      attention across frames counts a copy of them in the order of its
      products.
    linear: Whether the paper calls the cost linear in T.
  """

  name: str
  arrays: Callable[[int], Sequence[Array]]
  ours: Callable[..., jax.Array]
  theirs: Callable[..., Any]
  out: str
  frames: int = 8
  scratch: Callable[[int], int] = lambda frames: 0
  linear: bool = True


FOLDED = "n t h w c -> (n t) c h w"
VIDEO = "n t h w c -> n c t h w"
FRAMES = "n t h w c -> n t c h w"
TOKENS = "n t l c -> l (n t) c"
HEADS = "n t l m d -> (n t) l m d"


# A dense 3 x 3 convolution transforms a few frames at a time to tiles of four
# times their size, and so is the result, however long the clip is.
TILES = 2 * 4 * 2**19


def maps(
  size: int, channels: int, pattern: str = FOLDED
) -> Callable[[int], list[Array]]:
  """Returns maps (1, T, size, size, channels) for a number of frames."""
  return lambda frames: [
    Array((1, frames, size, size, channels), pattern),
  ]


def with_arrays(
  first: Callable[[int], list[Array]], *others: Array
) -> Callable[[int], list[Array]]:
  """Returns the arrays of `first` and, for any number of frames, others."""
  return lambda frames: [*first(frames), *others]


def adaptive(
  size: int, channels: int, taps: int, *, groups: int = 1
) -> Callable[[int], list[Array]]:
  """Returns maps, kernel and calibration of a TAdaConv."""
  depthwise = groups > 1
  kernel = Array(
    (taps, taps, 1 if depthwise else channels, channels), "h w i o -> o i h w"
  )
  return lambda frames: [
    *maps(size, channels, VIDEO)(frames),
    kernel,
    Array((1, frames, channels), "n t c -> n c t"),
  ]


def heads(frames: int, tokens: int = 197) -> list[Array]:
  """Returns queries, keys and values of a ViT-B: 12 heads of 64 channels."""
  return [Array((1, frames, tokens, 12, 64), HEADS)] * 3


def calibrated(size: int, channels: int) -> Callable[[int], int]:
  """The calibrated maps of a dense 3 x 3 convolution, and its tiles."""
  return lambda frames: frames * size * size * channels + TILES


def similarities(frames: int, size: int) -> int:
  """ATM's contexts, and products with 15 x 15 places around a tile of 7 x 7."""
  return 5 * frames * size * size * (64 + 15 * 15)


def scores(frames: int) -> int:
  """The products of all queries and keys of a ViT-B/16."""
  return frames * 12 * 197 * 197
