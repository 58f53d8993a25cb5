"""Cache of the sequences of recently read films."""

import collections
import threading
from collections.abc import Callable

from temporal_jax.localization.detector.sequences import FilmSequences


class FilmCache:
  """Reads films, and keeps as many as a number of bytes allows.

  Safe to use from many threads. Those that ask for a film at the same time may
  each read it.
  """

  def __init__(self, read: Callable[[int], FilmSequences], max_bytes: int):
    """Starts empty.

    Args:
      read: Reads a film by its number; its errors are raised again.
      max_bytes: Bytes of all sequences that are kept, at most. A film that is
        larger is not kept.
    """
    self._read, self._max_bytes = read, max_bytes
    self._lock = threading.Lock()
    self._kept: collections.OrderedDict[int, FilmSequences] = collections.OrderedDict()
    self._bytes = 0

  def read(self, number: int) -> FilmSequences:
    """Returns the sequences of a film, which must not be written to."""
    with self._lock:
      if number in self._kept:
        self._kept.move_to_end(number)
        return self._kept[number]
    made = self._read(number)
    with self._lock:
      if number not in self._kept and _num_bytes(made) <= self._max_bytes:
        self._kept[number] = made
        self._bytes += _num_bytes(made)
      while self._bytes > self._max_bytes:
        _, oldest = self._kept.popitem(last=False)
        self._bytes -= _num_bytes(oldest)
    return made


def _num_bytes(made: FilmSequences) -> int:
  return made.values.nbytes + made.mask.nbytes + made.film.values.nbytes
