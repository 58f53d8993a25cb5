"""The videos of a run."""

import pathlib
from collections.abc import Callable

import jax

from temporal_jax import data
from temporal_jax.data.tools.doubtful_tests import copied_videos, few_test_videos
from temporal_jax.experiment.description import earlier_description, in_order_of
from temporal_jax.experiment.settings import RunSettings
from temporal_jax.storage import refuse_bucket


def open_videos(
  settings: RunSettings,
  workdir: pathlib.Path,
  say: Callable[[str], None],
) -> data.Videos:
  """Opens the data set or the user's own files; prepares a missing data set.

  Args:
    settings: The run's settings.
    workdir: Folder of the run, where bad videos are written down. If it has a
      checkpoint, classes are numbered in the order of the run.
    say: Called with remarks on the files for the user, one sentence each.

  Raises:
    ValueError: If the classes differ from the run's in `workdir`, or see
      `data.open_sources` and `data.open_videos`.
  """
  config = settings.config
  if config.data.manifest:
    refuse_bucket(config.data.manifest, "data.manifest")
    data.keep_indices(
      pathlib.Path(config.data.manifest).expanduser(),
      pathlib.Path(config.data.videos or config.data.root).expanduser(),
    )
  index, count = jax.process_index(), jax.process_count()
  own = f"_{index}" if index else ""
  bad_videos = {
    split: data.BadVideos(config.data.on_error, workdir / f"bad_{split}{own}.jsonl")
    for split in ("train", "test")
  }
  sources = data.open_sources(
    name=config.data.name,
    root=config.data.root,
    data_dir=config.data.data_dir,
    splits={"train": config.data.train_split, "test": config.data.test_split},
    test_fraction=config.data.test_fraction,
    tasks=tuple(config.data.tasks),
    annotations=config.data.annotations,
    videos=config.data.videos,
    frames=config.data.frames,
    flow=config.data.flow,
    say=say,
  )
  # The labels of prepared data sets are with the videos.
  if config.data.root and not index:
    for words in (few_test_videos(sources["test"]), *copied_videos(sources)):
      if words:
        say(words)
  sources = in_order_of(earlier_description(workdir), sources, workdir)
  return data.open_videos(
    sources,
    settings.clip_format,
    settings.protocol,
    batch_size=config.batch_size,
    seed=config.seed,
    bad_videos=bad_videos,
    balance=config.data.balance,
    time_limit=config.data.time_limit,
    num_threads=config.data.num_threads,
    process_index=index,
    process_count=count,
  )
