"""Zero-shot accuracy on HMDB51 and UCF101: three splits, mean and deviation."""

import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from temporal_jax.data.annotations import AnnotatedSource, open_annotations
from temporal_jax.evaluation.metrics import top_k_hits
from temporal_jax.inference.prediction import Prediction
from temporal_jax.inference.predictor import Predictor
from temporal_jax.inference.runtime.prompts import PLAIN, spaced
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.text_search.zero_shot import with_labels
from temporal_jax.validation import check_choice

DATA_SETS = ("hmdb51", "ucf101")
_SPLITS = (1, 2, 3)


class SplitScores(NamedTuple):
  """Top-1 accuracies of the test videos of three splits.

  Attributes:
    top1: Fraction in [0, 1] of each split, of the videos that could be read.
    counts: Videos of each split that could be read.
    bad: Why a video could not be read, by path.
    labels: Texts of the classes.
  """

  top1: tuple[float, ...]
  counts: tuple[int, ...]
  bad: dict[str, str]
  labels: tuple[str, ...]

  @property
  def mean(self) -> float:
    """Mean of the three accuracies."""
    return float(np.mean(self.top1))

  @property
  def deviation(self) -> float:
    """Square root of the mean of their squared distances from the mean."""
    return float(np.std(self.top1))


def score_splits(
  saved: SavedModel,
  name: str,
  lists: str | os.PathLike,
  videos: str | os.PathLike,
  *,
  templates: Sequence[str] = PLAIN,
  batch_size: int = 8,
  track: Callable[[Iterable[Prediction], int], Iterable[Prediction]] = (
    lambda scored, total: scored
  ),
) -> SplitScores:
  """Scores the test videos of all three splits; a video of several, once.

  Labels are the classes' names in words: "brush_hair" is "brush hair",
  "ApplyLipstick" is "apply lipstick". The network's protocol defines the views.

  Args:
    saved: A network that reads texts.
    name: One of `DATA_SETS`.
    lists: Folder of its lists, see `annotations.open_annotations`.
    videos: Folder of class/video.avi.
    templates: See `prompts.parse_templates`.
    batch_size: Clips computed at once.
    track: Shows progress: gets an iterable and its length; yields its items.

  Raises:
    ImportError: If the extra "text" is not installed.
    FileNotFoundError: If a list or the folder of the videos is missing.
    ValueError: If the data set is another, a list is wrong, the splits differ
      in their classes, the network reads no texts, or no video of a split can
      be read.
  """
  check_choice("name", name, DATA_SETS)
  if not pathlib.Path(videos).expanduser().is_dir():
    raise FileNotFoundError(f"{videos} is no folder.")
  sources = [
    AnnotatedSource(open_annotations(f"{name}_{n}", lists), "test", videos)
    for n in _SPLITS
  ]
  names = sources[0].class_names
  for n, source in zip(_SPLITS, sources, strict=True):
    if source.class_names != names:
      differing = sorted(set(names) ^ set(source.class_names))
      raise ValueError(f"splits 1 and {n} differ in their classes {differing}.")
  words = [spaced(name) for name in names]
  saved = with_labels(saved, words, templates=templates)
  predictor = Predictor(saved, batch_size=batch_size)
  files = sorted({video["video"] for source in sources for video in source})
  rows, bad = {}, {}
  for prediction in track(predictor.predict(files), len(files)):
    if prediction.error is not None:
      bad[prediction.file] = prediction.error
    else:
      rows[prediction.file] = prediction.probabilities
  top1, counts = [], []
  for n, source in zip(_SPLITS, sources, strict=True):
    read = [video for video in source if video["video"] in rows]
    if not read:
      raise ValueError(f"no test video of split {n} can be read in {videos}.")
    probabilities = np.stack([rows[video["video"]] for video in read])
    labels = np.array([video["label"] for video in read])
    top1.append(float(np.mean(top_k_hits(probabilities, labels, 1))))
    counts.append(len(read))
  return SplitScores(tuple(top1), tuple(counts), bad, saved.class_names)
