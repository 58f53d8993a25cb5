"""Endless training batches, in one shuffled order for all processes."""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from temporal_jax.data.pipeline.class_order import Balance
from temporal_jax.data.pipeline.permutation import shuffled

if TYPE_CHECKING:
  import grain

Batch = dict[str, np.ndarray]
# Reads the clip of a video; None if it is left out.
Read = Callable[[int, np.random.Generator], dict[str, Any] | None]

# The order of an epoch: grain's, which old runs go on in, and ours. Grain's
# permutes by 4 rounds of a cipher, after which neighbours among 1,000,000
# places correlate by 0.4; with more rounds it is no permutation for all counts.
GRAIN, FEISTEL = 1, 2


@dataclasses.dataclass(frozen=True)
class Share:
  """Places of a common order that one of several processes reads.

  Every batch is a run of places, cut into equal parts: the first for process 0,
  and so on. Arrays assembled from the processes' parts in their order are thus
  the same for any number of processes.

  Attributes:
    batch_size: Clips per batch, over all processes.
    index: Number of the process.
    count: Processes that share the data.
  """

  batch_size: int
  index: int
  count: int

  def __post_init__(self) -> None:
    if self.batch_size < 1 or self.batch_size % self.count:
      raise ValueError(
        f"batch_size {self.batch_size} must be a positive multiple of the "
        f"{self.count} processes."
      )
    if not 0 <= self.index < self.count:
      raise ValueError(f"process_index must be in [0, {self.count}), got {self.index}.")

  @property
  def rows(self) -> int:
    """Clips per batch, of this process."""
    return self.batch_size // self.count

  def place(self, number: int) -> int:
    """Returns the place of this process's `number`-th clip in the order."""
    batch, row = divmod(number, self.rows)
    return batch * self.batch_size + self.index * self.rows + row


class TrainBatches(Iterator[Batch]):
  """Endless batches that can be set to the place of another start.

  A clip is None where its video is left out; the next one of the same process
  moves up, so that processes may then be at different places.
  """

  def __init__(
    self,
    read: Read,
    share: Share,
    *,
    num_videos: int,
    seed: int,
    num_threads: int,
    balance: Balance | None = None,
  ):
    """Starts at the first place.

    Args:
      read: Reads a random clip of the video of a number.
      share: Part of the common order that this process reads.
      num_videos: Length of an epoch.
      seed: Seed of the order and of the clips.
      num_threads: Threads that decode.
      balance: Classes that are drawn equally often; None for all videos in
        turn.
    """
    self._read_clip = read
    self._version = FEISTEL
    self._share = share
    self._num_videos, self._seed = num_videos, seed
    self._num_threads, self._balance = num_threads, balance
    self._start, self._read = 0, 0
    self._ahead: Iterator[tuple[dict[str, Any] | None]] | None = None

  def __next__(self) -> Batch:
    if self._ahead is None:
      self._ahead = self._read_ahead()
    rows = []
    while len(rows) < self._share.rows:
      (clip,) = next(self._ahead)
      self._read += 1
      if clip is not None:
        rows.append(clip)
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

  def position(
    self, gather: Callable[[int], Sequence[int]] | None = None
  ) -> dict[str, Any]:
    """Returns the place after the last batch taken, as plain numbers.

    What was decoded ahead does not count.

    Args:
      gather: Returns the numbers of all processes, in their order, for this
        process's one; every process must call then. Needed by several.

    Returns:
      {"start": place where counting began, "read": clips read since then by
      each process, "batch_size", "num_videos", "order": version of the
      order, "balance": share of balanced clips}, for `seek` on every process.

    Raises:
      ValueError: Unless there is one number per process.
    """
    read = [self._read] if gather is None else [int(n) for n in gather(self._read)]
    if len(read) != self._share.count:
      raise ValueError(
        f"the places of {self._share.count} processes are needed, got "
        f"{len(read)}: give `gather`."
      )
    return {
      "start": self._start,
      "read": read,
      "batch_size": self._share.batch_size,
      "num_videos": self._num_videos,
      "order": self._version,
      "balance": self._share_balanced,
    }

  @property
  def _share_balanced(self) -> float:
    """Share of the clips that are drawn with all classes equally often."""
    return self._balance.share if self._balance else 0.0

  def seek(self, position: Mapping[str, Any]) -> str:
    """Goes to a place that `position` returned.

    The next batches are those that would have come, bit for bit, with as many
    processes and the same batch size. With others they go on at the next clip
    of the common order; only where videos were left out may that be past clips
    which some processes had not come to, as no clip is read twice.

    Args:
      position: Position of a run of any number of processes and batch size.
        Without "order" it is from an older version's run, which keeps its old
        order, and without "balance" from one that had none.

    Returns:
      A sentence on differences from an uninterrupted run; "" if none.

    Raises:
      ValueError: If a number is missing or cannot be, or there is no such
        version of the order; nothing changes then.
    """
    _check_position(position)
    version = int(position.get("order", GRAIN))
    if version not in (GRAIN, FEISTEL):
      raise ValueError(
        f"the saved place in the data has version {version} of the order, "
        f"known are {GRAIN} and {FEISTEL}: a newer temporal_jax may have saved "
        "it."
      )
    start, size = position["start"], position["batch_size"]
    read = position["read"]
    self._ahead, here, notes = None, self._share, []
    # A balance has no old order to keep.
    self._version = FEISTEL if self._balance else version
    if (size, len(read)) == (here.batch_size, here.count):
      self._start, self._read = start, read[here.index]
    else:
      shares = [Share(size, index, len(read)) for index in range(len(read))]
      passed = max(
        share.place(number - 1) + 1 if number else 0
        for share, number in zip(shares, read, strict=True)
      )
      self._start, self._read = start + passed, 0
      if passed > sum(read):
        notes.append(
          f"{passed - sum(read)} clips are left out, which not all of the "
          f"{len(read)} processes that saved the run had come to"
        )
    if position["num_videos"] != self._num_videos:
      notes.append(
        f"the number of training videos changed from {position['num_videos']} to "
        f"{self._num_videos}, so the shuffled order differs"
      )
    if (before := position.get("balance", 0.0)) != self._share_balanced:
      notes.append(
        f"data.balance changed from {before:g} to {self._share_balanced:g}, so the "
        "shuffled order differs"
      )
    return "; ".join(notes)

  def _read_ahead(self) -> Iterator[tuple[dict[str, Any] | None]]:
    """Decodes the clips of this process from the present place on."""
    import grain

    start, place = self._start, self._share.place
    order = endless_order(
      self._num_videos, self._seed, self._version, balance=self._balance
    )
    clips = order.random_map(self._read_clip)
    numbers = grain.MapDataset.range(self._read, sys.maxsize)
    options = grain.ReadOptions(
      num_threads=self._num_threads,
      prefetch_buffer_size=2 * self._share.rows + self._num_threads,
    )
    # In a tuple, since grain drops None without an error.
    mine = numbers.map(lambda number: (clips[start + place(number)],))
    return iter(mine.to_iter_dataset(options))


def _check_position(position: Mapping[str, Any]) -> None:
  """Raises ValueError unless it is a result of `TrainBatches.position`."""
  lowest = {"start": 0, "read": 0, "batch_size": 1, "num_videos": 1}
  missing = [name for name in lowest if name not in position]
  if missing:
    raise ValueError(
      f"the saved place in the data lacks {missing}, it has {sorted(position)}."
    )
  for name, low in lowest.items():
    value = position[name]
    numbers = value if name == "read" and isinstance(value, list) else [value]
    if not numbers or not all(
      type(number) is int and low <= number < sys.maxsize for number in numbers
    ):
      raise ValueError(
        f"{name!r} of the saved place in the data must be a whole number of at "
        f"least {low}, of each process for 'read'; got {value!r}."
      )
  if type(position["read"]) is not list:
    raise ValueError(
      "'read' of the saved place in the data must be a list with a number for "
      f"each process, got {position['read']!r}."
    )


def endless_order(
  count: int, seed: int, version: int, *, balance: Balance | None = None
) -> "grain.MapDataset":
  """Returns the numbers of videos: every epoch has each once, shuffled.

  Args:
    count: Number of videos.
    seed: Seed of all epochs.
    version: `GRAIN` or `FEISTEL`.
    balance: Classes that are drawn equally often instead, by `FEISTEL`; None
      for none.

  Raises:
    ValueError: If `version` is neither.
  """
  import grain

  numbers = grain.MapDataset.range(count).seed(seed)
  if version == GRAIN:
    return numbers.shuffle().repeat()
  if version != FEISTEL:
    raise ValueError(
      f"version of the order must be in {(GRAIN, FEISTEL)}, got {version}."
    )
  if balance:
    return numbers.repeat().map_with_index(
      lambda place, _: balance.number(place, count, seed)
    )
  return numbers.repeat().map_with_index(lambda place, _: shuffled(place, count, seed))
