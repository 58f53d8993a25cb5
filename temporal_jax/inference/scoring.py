"""What a function of clips gives for the views of files, one after another."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from temporal_jax.data import open_reader
from temporal_jax.data.protocol import EvalProtocol
from temporal_jax.data.views import read_views


class Scored(NamedTuple):
  """A file's rows, or why it has none.

  Attributes:
    file: Its path.
    rows: (V, K) of V views; None of a file that cannot be read.
    error: Why it cannot; None of one that was.
  """

  file: str
  rows: np.ndarray | None
  error: str | None


def score_files(
  score: Callable[[np.ndarray], np.ndarray],
  files: Iterable[str],
  protocol: EvalProtocol,
) -> Iterator[Scored]:
  """Yields what `score` gives for each file, in their order.

  Args:
    score: Clips (N, T, H, W, 3) uint8 -> rows (N, K).
    files: Paths of videos.
    protocol: Which views of each.
  """
  for file in files:
    try:
      with open_reader(file) as reader:
        clips = read_views(reader, protocol, fps=reader.fps)
    except (OSError, ValueError) as error:
      yield Scored(file, None, str(error))
      continue
    yield Scored(file, score(clips), None)


def clip_shape(protocol: EvalProtocol) -> tuple[int, int, int, int]:
  """Returns (T, S, S, 3) of the clips of a protocol."""
  return protocol.num_frames, protocol.crop_size, protocol.crop_size, 3
