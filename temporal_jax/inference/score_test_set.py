"""Scores of the test set of a data set, whose labels may not be published."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import numpy as np

from temporal_jax import evaluation
from temporal_jax.data.annotations import AnnotatedSource
from temporal_jax.data.labels import ClassNames, by_task
from temporal_jax.inference.runtime.classifier import Classifier
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.score_files import clip_shape, score_files


class ScoredTestSet(NamedTuple):
  """Result of scoring the videos of a test set.

  Attributes:
    scores: Scores of those that could be read, None if none could; classes are
      in the order of the data set.
    bad: Id -> why it could not.
  """

  scores: evaluation.SavedScores | None
  bad: dict[str, str]


def score_test_set(
  saved: SavedModel,
  source: AnnotatedSource,
  *,
  batch_size: int = 8,
  num_threads: int = 4,
  track: Callable[[Iterable, int], Iterable] = lambda items, total: items,
) -> ScoredTestSet:
  """Scores videos as the network is tested: mean of all views of its protocol.

  Args:
    saved: The network, of RGB or optical flow as the videos are.
    source: Its test set, see `data.annotations.open_test_set`.
    batch_size: Views computed at once, at most.
    num_threads: Videos decoded at a time.
    track: Shows progress: gets an iterable and its length; yields its items.

  Raises:
    ValueError: If the network has other classes, its scores are NaN or
      infinite, or see `Classifier`.
  """
  own, protocol = _class_names(saved, source.class_names), saved.protocol
  shape = (*clip_shape(protocol)[:3], saved.clip_shape[-1])
  classifier = Classifier(saved, batch_size=batch_size, clip_shape=shape)
  scored = score_files(classifier, source, protocol, num_threads=num_threads)
  ids, rows, labels, bad = [], [], [], {}
  for number, one in enumerate(track(scored, len(source))):
    if one.error is not None:
      bad[one.file] = one.error
      continue
    views = jax.tree.map(lambda values: values[None], one.rows)
    mean = evaluation.from_views([one.file], None, views, fusion=protocol.fusion)
    ids.append(one.file)
    rows.append(mean.scores)
    labels.append(source[number]["label"])
  if not ids:
    return ScoredTestSet(None, bad)
  scores: Any = jax.tree.map(lambda *values: np.concatenate(values), *rows)
  if isinstance(source.class_names, dict):  # A tree has its keys sorted.
    scores = {task: scores[task] for task in own}
  known = None if None in labels else np.asarray(labels, np.int32)
  predictions = evaluation.Predictions(tuple(ids), None, scores)
  found = evaluation.SavedScores(predictions, own, dataclasses.asdict(protocol))
  found = evaluation.reordered(found, source.class_names)
  predictions = dataclasses.replace(found.predictions, labels=known)
  return ScoredTestSet(dataclasses.replace(found, predictions=predictions), bad)


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
