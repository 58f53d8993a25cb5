"""Scores of test sets in the files that evaluation servers take."""

import json
import pathlib
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from temporal_jax.evaluation.saved_scores import SavedScores
from temporal_jax.lookup import lookup
from temporal_jax.storage import whole_file, write_text

_LEVELS = ("sls_pt", "sls_tl", "sls_td")
_SMALLEST = np.finfo(np.float32).tiny


def write_upload(
  file: str | pathlib.Path,
  scores: SavedScores,
  file_format: str,
  *,
  supervision: Sequence[int] = (),
) -> None:
  """Writes the scores of a test set as its server takes them.

  | format | file |
  |---|---|
  | ssv1 | text, a line "id;class" per video, of the best class by its name |
  | ssv2 | text, a line "id;n;n;n;n;n" per video, numbers of the best five |
  | ek100 | zip of test.json with the scores of all verbs and nouns |

  Classes are numbered in the order of `scores.class_names`, which must be the
  order of the data set's files.

  Args:
    file: The file to write.
    scores: Scores of all videos of the test set.
    file_format: One of `UPLOADS`.
    supervision: Levels 0 to 5 of pretraining, training labels and training
      data, which the authors of a result declare; only for "ek100".

  Raises:
    ValueError: If the format is unknown, ids of videos are not ids of the test
      set, scores are of several tasks where one is needed or the other way
      round, or `supervision` does not fit.

  Source: test.py of IBM/bLVNet-TAM for Something-Something, whose server's own
    description is not public any more; utils/challenge.py of
    epic-kitchens/C1-Action-Recognition, version 0.2. That server takes the
    softmax of uploaded values: these are logarithms of probabilities.
  """
  write = lookup(UPLOADS, file_format, "upload format")
  write(pathlib.Path(file), scores, tuple(supervision))


def _check_ids(scores: SavedScores, pattern: str, words: str) -> None:
  """Raises ValueError if a video's id is not an id of the test set."""
  for name in scores.predictions.ids:
    if not re.fullmatch(pattern, name):
      raise ValueError(
        f"these are not the scores of the test set, whose ids are {words}: got "
        f"{name!r}. `temporal-jax testset` computes them."
      )


def _write_names(
  file: pathlib.Path, scores: SavedScores, supervision: tuple[int, ...]
) -> None:
  best = _ranked(scores, 1, supervision)[:, 0]
  _write_lines(file, scores, [[scores.class_names[number]] for number in best])


def _write_numbers(
  file: pathlib.Path, scores: SavedScores, supervision: tuple[int, ...]
) -> None:
  _write_lines(file, scores, _ranked(scores, 5, supervision).tolist())


def _ranked(
  scores: SavedScores, count: int, supervision: tuple[int, ...]
) -> np.ndarray:
  """Returns the best classes of each video (N, count), the best first."""
  if isinstance(scores.class_names, Mapping):
    raise ValueError(f"this upload is of one task, got {list(scores.class_names)}.")
  if supervision:
    raise ValueError("levels of supervision are for ek100 only.")
  return np.argsort(-scores.predictions.scores, axis=1, kind="stable")[:, :count]


def _write_lines(
  file: pathlib.Path, scores: SavedScores, cells: Sequence[Sequence]
) -> None:
  _check_ids(scores, r"\d+", "numbers")
  lines = (
    ";".join([name, *map(str, row)]) + "\n"
    for name, row in zip(scores.predictions.ids, cells, strict=True)
  )
  write_text(file, "".join(lines))


def _write_epic_kitchens(
  file: pathlib.Path, scores: SavedScores, supervision: tuple[int, ...]
) -> None:
  tasks = scores.predictions.scores
  if not isinstance(tasks, Mapping) or set(tasks) != {"verb", "noun"}:
    got = list(tasks) if isinstance(tasks, Mapping) else "one task"
    raise ValueError(f"scores of verb and noun are needed, got {got}.")
  if len(supervision) != 3 or not all(level in range(6) for level in supervision):
    raise ValueError(
      "three levels of supervision, 0 to 5, are needed: of pretraining, of "
      f"training labels, of training data; got {supervision}."
    )
  _check_ids(scores, r"P\d+_\d+_\d+", "like P01_11_0")
  head = {"version": "0.2", "challenge": "action_recognition"}
  head |= dict(zip(_LEVELS, supervision, strict=True))
  with (
    whole_file(file) as partial,
    zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive,
    archive.open("test.json", "w", force_zip64=True) as member,
  ):
    # A video at a time: all of them as Python's numbers take a gigabyte.
    member.write(json.dumps(head)[:-1].encode() + b', "results": {')
    for row, name in enumerate(scores.predictions.ids):
      of_video = {task: _logarithms(tasks[task][row]) for task in ("verb", "noun")}
      entry = f"{json.dumps(name)}: {json.dumps(of_video)}"
      member.write((", " * (row > 0) + entry).encode())
    member.write(b"}}")


def _logarithms(probabilities: np.ndarray) -> dict[str, float]:
  """Returns the logarithm of each probability (L,) by the class's number."""
  values = np.log(np.maximum(probabilities, _SMALLEST))
  return {str(number): round(float(v), 5) for number, v in enumerate(values)}


UPLOADS: Mapping[str, Callable[..., None]] = MappingProxyType(
  {"ssv1": _write_names, "ssv2": _write_numbers, "ek100": _write_epic_kitchens}
)
