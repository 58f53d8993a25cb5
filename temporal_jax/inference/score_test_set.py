"""Scores the test set of a data set, whose labels may not be published."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from temporal_jax import evaluation
from temporal_jax.data import EvalProtocol, Source, Video
from temporal_jax.data.labels import ClassNames, by_task
from temporal_jax.data.pipeline.clips import encode_label
from temporal_jax.data.views.eval_protocol import check_mirrored
from temporal_jax.inference.runtime.classifier import Classifier
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.score_files import clip_shape, score_files


class ScoredTestSet(NamedTuple):
  """Result of scoring the videos of a test set.

  Attributes:
    scores: Scores of those that could be read, None if none could; classes are
      in the order of the data set.
    bad: Id -> why it could not.
    numbers: Number in the source of each video that could be read.
  """

  scores: evaluation.SavedScores | None
  bad: dict[str, str]
  numbers: tuple[int, ...]


def score_test_set(
  saved: SavedModel,
  source: Source,
  *,
  protocol: EvalProtocol | None = None,
  keep_views: bool = False,
  batch_size: int = 8,
  num_threads: int = 4,
  track: Callable[[Iterable, int], Iterable] = lambda items, total: items,
) -> ScoredTestSet:
  """Scores videos: the mean of all views of a protocol.

  Args:
    saved: The network, of RGB or optical flow as the videos are.
    source: The videos, such as `data.open_test_videos` opens; a label is None
      where it is not published.
    protocol: Views of a video; by default, the views of the network's test.
    keep_views: Whether the result has the scores of each view too.
    batch_size: Views computed at once, at most.
    num_threads: Videos decoded at a time.
    track: Shows progress: gets an iterable and its length; yields its items.

  Raises:
    ValueError: If the network has other classes, its scores are NaN or
      infinite, views would be mirrored where classes have a direction, or see
      `Classifier`.
  """
  own, protocol = _class_names(saved, source.class_names), protocol or saved.protocol
  check_mirrored(protocol, own)
  shape = (*clip_shape(protocol)[:3], saved.clip_shape[-1])
  classifier = Classifier(
    saved,
    batch_size=batch_size,
    clip_shape=shape,
    expected=len(source) * protocol.num_views,
  )
  given: list[Any] = []  # The labels of all videos that were begun, in order.

  def read(number: int) -> Video:
    video = source[number]  # A prepared data set has the bytes of its file.
    given.append(video["label"])
    return video

  # A source need not end with an IndexError, as iteration over it expects.
  files = map(read, range(len(source)))
  scored = score_files(classifier, files, protocol, num_threads=num_threads)
  videos, numbers, bad = [], [], {}
  for number, one in enumerate(track(scored, len(source))):
    if one.error is not None:
      bad[one.file] = one.error
      continue
    views = jax.tree.map(lambda values: values[None], one.rows)
    mean = evaluation.from_views([one.file], None, views, fusion=protocol.fusion)
    if not keep_views or protocol.num_views == 1:
      mean = dataclasses.replace(mean, views=None)
    videos.append(mean)
    numbers.append(number)
  if not videos:
    return ScoredTestSet(None, bad, ())
  scores, views = (
    _joined([getattr(one, part) for one in videos], own) for part in ("scores", "views")
  )
  labels, known = [given[number] for number in numbers], None
  if None not in labels:
    known = np.stack([encode_label(label, source.class_names) for label in labels])
  ids = tuple(one.ids[0] for one in videos)
  predictions = evaluation.Predictions(ids, None, scores, views)
  found = evaluation.SavedScores(predictions, own, dataclasses.asdict(protocol))
  found = evaluation.reordered(found, source.class_names)
  predictions = dataclasses.replace(found.predictions, labels=known)
  whole = dataclasses.replace(found, predictions=predictions)
  return ScoredTestSet(whole, bad, tuple(numbers))


def _joined(parts: Sequence[Any], names: ClassNames) -> Any:
  """Returns the scores of all videos; None where there are none."""
  whole: Any = jax.tree.map(lambda *values: np.concatenate(values), *parts)
  if isinstance(whole, dict):  # A tree has its keys sorted.
    return {task: whole[task] for task in names}
  return whole


def _class_names(saved: SavedModel, wanted: ClassNames) -> ClassNames:
  """Returns the network's class names, in its order of classes and tasks.

  Without names its classes are in the order of the data set.

  Raises:
    ValueError: If they differ from the data set's.
  """
  counts = saved.description["num_classes"]
  tasks = by_task(wanted)
  if not saved.class_names:
    own = counts if isinstance(counts, dict) else {"": counts}
    if own == {task: len(names) for task, names in tasks.items()}:
      return wanted
  mine = by_task(saved.class_names)
  same = mine.keys() == tasks.keys() and all(
    sorted(mine[task]) == sorted(names) for task, names in tasks.items()
  )
  if not same:
    given = {task: len(names) for task, names in tasks.items()}
    raise ValueError(
      f"{saved.name} has other classes than the data set: {counts} where the data "
      f"set names {given.get('', given)}, or the names differ."
    )
  return {task: mine[task] for task in tasks} if "" not in tasks else mine[""]
