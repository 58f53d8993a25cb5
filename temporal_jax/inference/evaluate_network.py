"""Evaluates a trained network on labelled videos, and shows its mistakes."""

import pathlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from temporal_jax import evaluation
from temporal_jax.data import (
  EvalProtocol,
  ReorderedSource,
  Source,
  by_task,
  groups_of,
  open_reader,
)
from temporal_jax.data.pipeline.clips import labelled_span
from temporal_jax.data.views.read_views import read_views
from temporal_jax.evaluation.plots import save_contact_sheet
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.score_test_set import score_test_set
from temporal_jax.lookup import alike_names
from temporal_jax.training.class_rows import shorten

_SHOWN = 18  # Mistakes of a picture, at most.


class Evaluation(NamedTuple):
  """Result of evaluating a network.

  Attributes:
    summary: See `evaluation.summarize`; None if no video could be read.
    scores: Scores of the videos that could be read, with the views of each;
      None likewise. Classes are in the order of the network.
    bad: Id -> why a video could not be read.
    source: The videos.
    numbers: Number in the source of each video that could be read.
    protocol: Views of each video.
  """

  summary: Mapping[str, Any] | None
  scores: evaluation.SavedScores | None
  bad: Mapping[str, str]
  source: Source
  numbers: Sequence[int]
  protocol: EvalProtocol


def evaluate_network(
  saved: SavedModel,
  source: Source,
  *,
  protocol: EvalProtocol | None = None,
  batch_size: int = 8,
  num_threads: int = 4,
  track: Callable[[Iterable, int], Iterable] = lambda items, total: items,
) -> Evaluation:
  """Scores labelled videos, whose classes are found by their names.

  Args:
    saved: The network, of RGB or optical flow as the videos are.
    source: The videos; their classes are some or all of the network's.
    protocol: See `score_test_set`.
    batch_size: See `score_test_set`.
    num_threads: See `score_test_set`.
    track: See `score_test_set`.

  Raises:
    ValueError: If the network lacks a class, one of them has several classes
      per video and the other has not, the labels are not published, the network
      has no classes of its own, or see `score_test_set`.
  """
  saved.check_classifies()
  if source[0]["label"] is None:
    raise ValueError(
      "the labels of these videos are not published: `temporal-jax testset` "
      "writes their scores for an upload."
    )
  source = _in_order_of(saved, source)
  protocol, began = protocol or saved.protocol, time.perf_counter()
  scores, bad, numbers = score_test_set(
    saved,
    source,
    protocol=protocol,
    keep_views=True,
    batch_size=batch_size,
    num_threads=num_threads,
    track=track,
  )
  if scores is None:
    return Evaluation(None, None, bad, source, (), protocol)
  summary = evaluation.summarize(
    scores.predictions,
    scores.class_names,
    listed=len(source),
    bad_videos=bad,
    seconds=time.perf_counter() - began,
    groups=groups_of(source),
    protocol=scores.protocol,
  )
  return Evaluation(summary, scores, bad, source, numbers, protocol)


def write_evaluation(directory: pathlib.Path, evaluated: Evaluation) -> None:
  """Writes the files of `evaluation.write_test`, and misclassified.png.

  The picture has the surest mistakes, 18 at most; without one there is none.

  Args:
    directory: Folder to write to.
    evaluated: Result in which a video could be read.
  """
  predictions = evaluated.scores.predictions
  evaluation.write_test(directory, evaluated.summary, predictions)
  mistakes = evaluation.find_mistakes(predictions)[:_SHOWN]
  if not mistakes.size:
    return
  shown = predictions.take(mistakes)
  save_contact_sheet(
    {"clip": _read_clips(evaluated, mistakes), "id": np.array(shown.ids)},
    shown,
    evaluated.scores.class_names,
    directory / "misclassified.png",
    clips_shown=_SHOWN,
    named=True,
  )


def _read_clips(evaluated: Evaluation, rows: Iterable[int]) -> list[np.ndarray]:
  """Returns a clip (T, S, S, C) in the middle of the videos of some rows."""
  protocol, clips = evaluated.protocol.single_view(), []
  for row in rows:
    video = evaluated.source[evaluated.numbers[row]]
    with open_reader(video["video"], square_pixels=protocol.square_pixels) as reader:
      span = labelled_span(reader, video)
      clips.append(read_views(reader, protocol, fps=reader.fps, span=span)[0])
  return clips


def _in_order_of(saved: SavedModel, source: Source) -> Source:
  """Returns a source with its classes numbered as the network's.

  A network without names of classes has as many, in the order of the source.
  """
  if saved.description["num_classes"] is None:
    raise ValueError(
      f"{saved.name} has no classes of its own, it compares clips with texts: "
      "`temporal-jax zeroshot` measures that."
    )
  if bool(saved.description.get("multi_label")) != source.multi_label:
    kinds = ("one class", "several classes")
    raise ValueError(
      f"{saved.name} recognizes {kinds[not source.multi_label]} per video, and these "
      f"videos have {kinds[source.multi_label]} each."
    )
  if not saved.class_names:
    return source  # `score_test_set` compares the numbers.
  own, wanted = by_task(saved.class_names), by_task(source.class_names)
  if [*own] != [*wanted]:
    raise ValueError(
      f"{saved.name} has {_tasks(own)}, and these videos have {_tasks(wanted)}."
    )
  for task, names in wanted.items():
    if unknown := [name for name in names if name not in {*own[task]}]:
      what = f"classes of {task}" if task else "classes"
      raise ValueError(
        f"the videos have {what} that {saved.name} was not trained on, "
        f"{shorten(unknown)}{alike_names(own[task], unknown)}; it knows "
        f"{shorten(own[task])}."
      )
  return ReorderedSource(source, saved.class_names)


def _tasks(names: Mapping[str, Any]) -> str:
  return "a single task" if [*names] == [""] else f"the tasks {[*names]}"
