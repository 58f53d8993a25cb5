"""Data loaders: batches of uint8 clips of a source of videos, by grain."""

from typing import TYPE_CHECKING

from temporal_jax.data.pipeline.class_order import balance_classes
from temporal_jax.data.pipeline.clips import (
  ClipFormat,
  Element,
  FixedClips,
  RandomClips,
  VideoOpener,
)
from temporal_jax.data.pipeline.train_batches import Share, TrainBatches
from temporal_jax.data.views.eval_protocol import EvalProtocol

if TYPE_CHECKING:
  import grain


def train_batches(
  videos: VideoOpener,
  clip: ClipFormat,
  *,
  batch_size: int,
  seed: int,
  balance: float = 0.0,
  num_threads: int = 4,
  process_index: int = 0,
  process_count: int = 1,
) -> TrainBatches:
  """Endless batches of random clips, reshuffled every epoch.

  There is one endless order of clips, whatever the number of processes: a
  clip's frames and crop depend only on the seed and its place in the order.
  Batch s is its places [s B, (s + 1) B), and process p of P has the p-th of P
  equal parts of each batch. Only where bad videos are skipped do batches depend
  on P: the clips of a process move up where one is left out.

  Args:
    videos: The training videos.
    clip: Frames, size and sampling of a clip.
    batch_size: Clips per batch, B, over all processes.
    seed: Seed of order, frames and crops.
    balance: Share of the clips that are drawn with all classes equally often,
      see `class_order.Balance`; the others are all videos in turn.
    num_threads: Threads that decode.
    process_index: Number of this process, p.
    process_count: Processes that share the data, P.

  Returns:
    An iterator over batches of B / P clips {"clip": (B / P, T, S, S, C) uint8,
    "label": see `clips.encode_label`, "weight": (B / P,) float32, 0 for a
    masked clip, "id": (B / P,) str}. C is 3 for RGB and 2 n for n pairs of
    optical flow. With a canvas (H, W) the clips are (B / P, T, H, W, C) and
    "size" (B / P, 2) float32 is the height and width, in pixels, that a frame
    has in its true proportions when its shorter side is resized.

  Raises:
    ValueError: If there is no video, `batch_size` is no multiple of P, or
      `balance` is not 0 and videos have several labels.
  """
  count = len(videos.source)
  if not count:
    raise ValueError("there is no training video.")
  return TrainBatches(
    RandomClips(videos, clip).read,
    Share(batch_size, process_index, process_count),
    num_videos=count,
    seed=seed,
    num_threads=num_threads,
    balance=balance_classes(videos.source, balance) if balance else None,
  )


def eval_batches(
  videos: VideoOpener,
  protocol: EvalProtocol,
  *,
  batch_size: int,
  num_threads: int = 4,
  process_index: int = 0,
  process_count: int = 1,
) -> "grain.IterDataset":
  """Every video once, in order, in full batches.

  The last batch is filled with black clips of weight 0, and so is the place of
  a bad video; all processes get the same number of batches.

  Args:
    videos: The videos.
    protocol: Views of each file.
    batch_size: Videos per batch, B, over all processes.
    num_threads: Threads that decode.
    process_index: Number of this process, which has its part of each batch as
      in `train_batches`.
    process_count: Processes that share the data.

  Returns:
    An iterable of batches as from `train_batches`, without a canvas; it can be
    walked again. Of V > 1 views clips are (B / P, V, T, S, S, 3).
  """
  import grain

  clips = FixedClips(videos, protocol)
  share = Share(batch_size, process_index, process_count)
  count = len(videos.source)
  batches = -(-count // batch_size)

  def read_or_pad(number: int) -> Element:
    place = share.place(number)
    return clips.read(place) if place < count else clips.padding()

  numbers = grain.MapDataset.range(batches * share.rows)
  options = grain.ReadOptions(
    num_threads=num_threads, prefetch_buffer_size=2 * share.rows + num_threads
  )
  return numbers.map(read_or_pad).to_iter_dataset(options).batch(share.rows)
