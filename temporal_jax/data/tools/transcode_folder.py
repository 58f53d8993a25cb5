"""Transcodes the videos of a folder, smaller and quicker to read."""

import pathlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from temporal_jax.data.listing.scan_folder import list_videos
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.transcode import Transcoding, transcode
from temporal_jax.thread_map import run_parallel

# Shows progress: gets an iterable and its length; yields its items.
Track = Callable[[Iterable[tuple[str, str | None]], int], Iterable]


class Transcoded(NamedTuple):
  """Result of transcoding a folder.

  Attributes:
    written: Videos that were written now.
    kept: Videos that were there already.
    bad: Why each bad video is not there, by its path from the folder.
  """

  written: int
  kept: int
  bad: dict[str, str]


def transcode_folder(
  root: str | pathlib.Path,
  out: str | pathlib.Path,
  how: Transcoding,
  *,
  num_threads: int = 4,
  track: Track = lambda files, total: files,
) -> Transcoded:
  """Transcodes all videos under a folder into another one, as mp4.

  It may be stopped at any time and called again: existing videos are kept,
  however they were encoded.

  Args:
    root: Folder with videos; folders of pictures are left out, as the times of
      their frames are not known.
    out: Folder to write, with the same folders in it.
    how: Settings of the encoder.
    num_threads: Videos at a time.
    track: Shows progress.

  Raises:
    FileNotFoundError: If `root` is no folder.
    ValueError: If it holds no video, two videos would have one name, `out` is
      in `root`, or a number of `how` is out of its range.
  """
  how.check()
  root, out = pathlib.Path(root), pathlib.Path(out)
  if out.resolve().is_relative_to(root.resolve()):
    raise ValueError(f"{out} must not be in {root}.")
  videos = list_videos(root).files
  if not videos:
    raise ValueError(f"{root} holds no video file.")
  targets: dict[pathlib.Path, str] = {}
  for path in videos:
    target = (out / path).with_suffix(".mp4")
    if target in targets:
      raise ValueError(f"{targets[target]} and {path} would both be {target}.")
    targets[target] = path
  todo = {path: t for t, path in targets.items() if not t.exists()}

  def one(path: str) -> str | None:
    try:
      transcode(root / path, todo[path], how)
    except VideoError as error:
      return str(error)
    return None

  done = track(run_parallel(one, todo, num_threads), len(todo))
  bad = {path: error for path, error in done if error}
  return Transcoded(len(todo) - len(bad), len(videos) - len(todo), bad)
