"""Features of many videos as npz files."""

import glob
import itertools
import json
import os
import pathlib
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from temporal_jax.data.video.fixed_rate import FixedRateReader, check_rate
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.readers import Reader, open_reader
from temporal_jax.inference.extract.feature_windows import FeatureExtractor
from temporal_jax.inference.extract.features import is_logits, logit_classes
from temporal_jax.inference.find_videos import fixed_part, list_videos
from temporal_jax.saved_networks.variables import digest
from temporal_jax.storage import whole_file
from temporal_jax.untrusted.json_text import parse_json
from temporal_jax.untrusted.npz import check_arrays, open_npz


class Extracted(NamedTuple):
  """Result of extracting features of videos.

  Attributes:
    written: Files written.
    kept: Files that were there.
    bad: Video -> why it has no file.
  """

  written: int
  kept: int
  bad: dict[str, str]


def output_files(words: Sequence[str], out: pathlib.Path) -> dict[str, pathlib.Path]:
  """Returns the file for the features of each video that the words name.

  It is called as the video, below `out`: with the folders between the video and
  the folder that the word names, or that its pattern begins with.

  Args:
    words: See `list_videos`.
    out: Folder of the files.

  Raises:
    ValueError: See `list_videos`.
  """
  files: dict[str, pathlib.Path] = {}
  for word in words:
    root = _root(os.path.expanduser(word))
    for video in list_videos([word]):
      name = pathlib.Path(os.path.relpath(video, root))
      if not name.name:  # The word is itself a folder of pictures.
        name = pathlib.Path(os.path.basename(os.path.abspath(video)))
      files.setdefault(video, out / name.with_suffix(".npz"))
  return files


def _root(word: str) -> pathlib.Path:
  """Returns the folder from which the videos of a word are named."""
  path = pathlib.Path(word)
  if path.is_dir():
    return path
  if path.exists() or not glob.has_magic(word):
    return path.parent
  return fixed_part(word)


def extract_files(
  extractor: FeatureExtractor,
  files: Mapping[str, pathlib.Path],
  *,
  fps: float | None = None,
  track: Callable[[Iterable, int], Iterable] = lambda items, total: items,
) -> Extracted:
  """Writes the features of videos, a file each.

  A file appears when it is complete, and is then kept: the same call goes on
  where one was stopped. It holds

  | name | what |
  |---|---|
  | features | (windows, ...) float32 |
  | times | (windows,) middle of each window, in seconds |
  | fps | frames per second, of the video or as given |
  | stride | frames from one window to the next |
  | window | frames of a window |
  | offset | first frame of the first window: 0 |
  | duration | of the video, in seconds |
  | video_frames | frames of the video, at that rate |
  | feature, model | name of the feature, and of its network |
  | class_names | of logits, if they are known |
  | settings | JSON: all that it depends on, the weights' sha256 too |

  Window i is the frames offset + stride i to offset + stride i + window - 1,
  and its middle (offset + stride i + window / 2) / fps.

  Args:
    extractor: Makes the features.
    files: Video -> the file to write.
    fps: Rate at which videos are read, see `FixedRateReader`; None for their
      own.
    track: Called with videos and their number, shows how far they are.

  Raises:
    ValueError: If two videos would share a file, or the rate is not positive.
  """
  _check_apart(files)
  if fps is not None:
    check_rate(fps)
  settings = extraction_settings(extractor, fps)
  written, kept, bad = 0, 0, {}
  for video, path in track(files.items(), len(files)):
    try:
      if path.exists():
        _check_same(path, settings)
        kept += 1
        continue
      square = extractor.saved.protocol.square_pixels
      with open_reader(video, square_pixels=square) as reader:
        timed = reader if fps is None else FixedRateReader(reader, fps)
        _write(path, extractor, timed, settings)
      written += 1
    except (OSError, ValueError) as error:
      bad[video] = str(error)
  return Extracted(written, kept, bad)


def _write(
  path: pathlib.Path,
  extractor: FeatureExtractor,
  reader: Reader,
  settings: Mapping[str, Any],
) -> None:
  """Writes features as they are computed; no more than a batch is held."""
  total, fps = reader.num_frames, reader.fps
  if fps is None:
    raise VideoError("its frames per second are not known")
  batches = extractor.batches(reader)
  first = next(batches)  # Whole frames have maps of other sizes than squares.
  shape = (extractor.num_windows(total), *first.shape[1:])
  others = {
    "times": extractor.times(total, fps),
    "fps": fps,
    "stride": extractor.stride,
    "window": extractor.window,
    "offset": 0,
    "duration": total / fps,
    "video_frames": total,
    "feature": extractor.name,
    "model": extractor.saved.name,
    "settings": json.dumps(settings),
  }
  if is_logits(extractor.name):
    names = logit_classes(extractor.saved, extractor.name)
    others |= {"class_names": np.array(names, np.str_)} if names else {}
  path.parent.mkdir(parents=True, exist_ok=True)
  with whole_file(path) as partial, zipfile.ZipFile(partial, "w") as file:
    with file.open("features.npy", "w", force_zip64=True) as member:
      head = {"descr": "<f4", "fortran_order": False, "shape": shape}
      np.lib.format.write_array_header_2_0(member, head)
      for features in itertools.chain([first], batches):
        member.write(np.ascontiguousarray(features, "<f4").data)
    for name, value in others.items():
      with file.open(f"{name}.npy", "w") as member:
        np.lib.format.write_array(member, np.asarray(value))


def extraction_settings(
  extractor: FeatureExtractor, fps: float | None
) -> dict[str, Any]:
  """Returns all that features depend on next to their video, as JSON.

  Args:
    extractor: Makes the features.
    fps: Rate at which videos are read; None for their own.
  """
  saved = extractor.saved
  return {
    "model": saved.name,
    "sha256": digest(saved.variables),
    "dtype": jnp.dtype(saved.network.dtype).name,
    "feature": extractor.name,
    "window": extractor.window,
    "stride": extractor.stride,
    "num_frames": saved.protocol.num_frames,
    "crop_size": saved.protocol.crop_size,
    "short_side": saved.protocol.short_side,
    "stretch": extractor.stretch or saved.protocol.stretch,
    "whole_short_side": extractor.short_side,
    "fps": fps,
  }


def _check_same(path: pathlib.Path, settings: Mapping[str, Any]) -> None:
  """Raises ValueError if a file differs from the one to write."""
  with open_npz(path, "features") as file:
    check_arrays(file.declared, {"settings": ("text", ())})
    there = parse_json(str(file.read("settings")), "settings")
    if not isinstance(there, dict):
      raise ValueError("the entry settings must be a JSON object")
  wanted = json.loads(json.dumps(settings))
  differ = [
    f"{name} {there.get(name)} instead of {value}"
    for name, value in wanted.items()
    if there.get(name) != value
  ]
  if differ:
    raise ValueError(f"{path} is there and has {', '.join(differ)}")


def _check_apart(files: Mapping[str, pathlib.Path]) -> None:
  """Raises ValueError if two videos would share a file."""
  owners: dict[pathlib.Path, str] = {}
  for video, path in files.items():
    if path in owners:
      raise ValueError(f"{owners[path]} and {video} would both be written to {path}.")
    owners[path] = video
