"""THUMOS14: films of sports with segments of 20 classes."""

import pathlib
from collections.abc import Mapping

from temporal_jax.data.annotations.activity_net import read_activity_net_films
from temporal_jax.data.annotations.data_set import DataSet
from temporal_jax.data.annotations.film_builder import FilmBuilder
from temporal_jax.data.annotations.films import FilmAnnotations
from temporal_jax.data.annotations.read_tables import File, fields
from temporal_jax.validation import fill_template

PATH = "{id}.mp4"
# The order of the numbers in thumos14.json.
CLASS_NAMES = (
  "BaseballPitch",
  "BasketballDunk",
  "Billiards",
  "CleanAndJerk",
  "CliffDiving",
  "CricketBowling",
  "CricketShot",
  "Diving",
  "FrisbeeCatch",
  "GolfSwing",
  "HammerThrow",
  "HighJump",
  "JavelinThrow",
  "LongJump",
  "PoleVault",
  "Shotput",
  "SoccerPenalty",
  "TennisSwing",
  "ThrowDiscus",
  "VolleyballSpiking",
)
# Segments that may or may not show a class; the evaluation ignores them.
AMBIGUOUS = "Ambiguous"
# The validation set is for training, since films of the training set are cut.
_SUBSETS = {"validation": "train", "test": "test"}
_ENDINGS = {"_val.txt": "train", "_test.txt": "test"}


def read_thumos14(
  file: File, *, path: str = PATH, on_error: str = "raise"
) -> FilmAnnotations:
  """Reads thumos14.json, the annotations as ActionFormer publishes them.

  A segment of CliffDiving is there as one of Diving too, as in THUMOS14. 26
  segments of the test films and 4 of the others start after their films' end.
  They are kept and counted: the published scores count them as missed.

  Args:
    file: JSON, see `read_activity_net_films`.
    path: The video, from id.
    on_error: "raise", or "skip" to leave out and count a wrong segment.

  Raises:
    ValueError: If an entry is wrong and none may be.

  Source: class `THUMOS14Dataset` in libs/datasets/thumos14.py and
    `load_gt_seg_from_json` in libs/utils/metrics.py of
    happyharrycn/actionformer_release, which check no times.
  """
  return read_activity_net_films(
    file,
    path=path,
    subsets=_SUBSETS,
    class_names=CLASS_NAMES,
    ambiguous=AMBIGUOUS,
    on_error=on_error,
    past_end="keep",
  )


def read_thumos14_lists(
  folder: File, *, path: str = PATH, on_error: str = "raise"
) -> FilmAnnotations:
  """Reads THUMOS14's own lists, one of each class and split.

  They have no durations, and no films without a segment.

  Args:
    folder: Folder of CLASS_val.txt and CLASS_test.txt with lines "film start
      end" in seconds.
    path: The video, from id.
    on_error: "raise", or "skip" to leave out and count a wrong segment.

  Raises:
    FileNotFoundError: If a class has no list of a split.
    ValueError: If a line is wrong and none may be, or a list is of no class.
  """
  folder = pathlib.Path(folder)
  builder = FilmBuilder(on_error, class_names=CLASS_NAMES)
  for ending, split in _ENDINGS.items():
    for name in CLASS_NAMES:
      for where, (film, start, end) in fields(folder / f"{name}{ending}", 3):
        builder.add_film(
          where, film, path=fill_template("path", path, id=film), split=split
        )
        builder.add_segment(where, film, name, start, end)
    doubtful = folder / f"{AMBIGUOUS}{ending}"
    if doubtful.exists():
      for where, (film, start, end) in fields(doubtful, 3):
        builder.add_film(
          where, film, path=fill_template("path", path, id=film), split=split
        )
        message = f"{where}: {start} to {end} s is labelled {AMBIGUOUS}."
        builder.leave_out_segment(film, "an ambiguous segment", message)
  return builder.build(str(folder))


_FILE = "thumos14.json"


def _read_films(folder: pathlib.Path, on_error: str) -> FilmAnnotations:
  return read_thumos14(folder / _FILE, on_error=on_error)


DATA_SETS: Mapping[str, DataSet] = {
  "thumos14": DataSet(
    read=lambda folder: _read_films(folder, "raise").as_clips(),
    files=(_FILE,),
    videos="`video_validation_ID.mp4`, `video_test_ID.mp4`; labelled parts",
    read_films=_read_films,
  )
}
