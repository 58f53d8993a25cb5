"""The data of a run: batches to train on and to evaluate."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from temporal_jax.data.labels import ClassNames
from temporal_jax.data.pipeline.bad_videos import BadVideos
from temporal_jax.data.pipeline.clips import ClipFormat, VideoOpener
from temporal_jax.data.pipeline.loaders import eval_batches, train_batches
from temporal_jax.data.pipeline.train_batches import TrainBatches
from temporal_jax.data.sources import Source
from temporal_jax.data.video.decoding import TIME_LIMIT
from temporal_jax.data.views.eval_protocol import EvalProtocol, check_mirrored

if TYPE_CHECKING:
  import grain


class Videos(NamedTuple):
  """The data of a run.

  Attributes:
    class_names: Names of the L classes, or a dict with one entry per task.
    multi_label: Whether a video has a set of classes instead of one.
    train_batches: Endless batches, see `pipeline.train_batches`.
    eval_batches: One view of every test video, see `loaders.eval_batches`.
    test_batches: All views of them.
    num_train: Training videos listed.
    num_test: Test videos listed.
    fingerprints: Digest of the list of videos of each split, see
      `sources.Source`.
    bad_test: Test videos that could not be read.
    sources: The videos themselves, by split.
  """

  class_names: ClassNames
  multi_label: bool
  train_batches: TrainBatches
  eval_batches: "grain.IterDataset"
  test_batches: "grain.IterDataset"
  num_train: int
  num_test: int
  fingerprints: Mapping[str, str]
  bad_test: BadVideos
  sources: Mapping[str, Source]


def open_videos(
  sources: Mapping[str, Source],
  clip: ClipFormat,
  protocol: EvalProtocol,
  *,
  batch_size: int,
  seed: int,
  bad_videos: Mapping[str, BadVideos],
  balance: float = 0.0,
  time_limit: float = TIME_LIMIT,
  num_threads: int = 4,
  process_index: int = 0,
  process_count: int = 1,
) -> Videos:
  """Makes batches of the sources "train" and "test".

  Args:
    sources: The videos, by split.
    clip: Frames, size and sampling of a training clip.
    protocol: Views of a test video; the setting of square pixels is used in
      training as well.
    batch_size: Clips per batch, over all processes.
    seed: Seed of order, frames and crops in training.
    bad_videos: Handling of videos that cannot be read, by split.
    balance: Share of the training clips that are drawn with all classes equally
      often, see `class_order.Balance`.
    time_limit: Seconds that opening a video file, and reading a clip, may take.
    num_threads: Threads that decode.
    process_index: Number of this process.
    process_count: Processes that share the data.

  Raises:
    ValueError: If a number is out of its range, there is no video to train on
      or to test, or views are mirrored although classes depend on left and
      right.
  """
  if not len(sources["test"]):
    raise ValueError(
      "no video is left for the test. Videos need a split called val or test; "
      "or none, as in data.root=DIR/train, and data.test_fraction above 0 with "
      "at least two videos, or groups of them, of a class."
    )
  check_mirrored(protocol, sources["test"].class_names)
  train, test = (
    VideoOpener(
      sources[split],
      bad_videos[split],
      time_limit,
      square_pixels=protocol.square_pixels,
    )
    for split in ("train", "test")
  )
  share = {
    "batch_size": batch_size,
    "num_threads": num_threads,
    "process_index": process_index,
    "process_count": process_count,
  }
  return Videos(
    class_names=sources["train"].class_names,
    multi_label=sources["train"].multi_label,
    train_batches=train_batches(train, clip, seed=seed, balance=balance, **share),
    eval_batches=eval_batches(test, protocol.single_view(), **share),
    test_batches=eval_batches(test, protocol, **share),
    num_train=len(sources["train"]),
    num_test=len(sources["test"]),
    fingerprints={split: sources[split].fingerprint() for split in ("train", "test")},
    bad_test=bad_videos["test"],
    sources=sources,
  )
