"""Decodes every video of a folder once, and writes a manifest."""

import dataclasses
import functools
import json
import pathlib
from collections.abc import Callable, Iterable

from temporal_jax.data.listing.file_names import SUFFIXES
from temporal_jax.data.listing.scan_folder import list_videos
from temporal_jax.data.video.decoded_frames import DecodedIndex
from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.file_stamps import digest, read_stamp
from temporal_jax.data.video.manifest import (
  Row,
  is_bad_list,
  read_manifest,
  write_bad,
  write_index,
  write_manifest,
)
from temporal_jax.data.video.pictures import VideoError, reason
from temporal_jax.data.video.readers import open_reader
from temporal_jax.storage import check_outputs
from temporal_jax.thread_map import run_parallel

_KEYS = ("path", "bytes", "mtime_ns", "sha256", "error")  # Every row has them.
TIME_LIMIT = 600.0  # Seconds: more than clips need, as all frames are decoded.

# Shows progress: gets the rows that come, and their number; hands them on.
Track = Callable[[Iterable[Row], int], Iterable[Row]]


@dataclasses.dataclass(frozen=True)
class Check:
  """Result of checking a folder.

  Attributes:
    rows: The manifest, by path.
    decoded: Videos that were decoded now.
    kept: Videos whose rows were there already.
    others: Files that have no video's suffix and were left out, by suffix.
  """

  rows: dict[str, Row]
  decoded: int
  kept: int
  others: dict[str, int]

  @property
  def bad(self) -> dict[str, str]:
    """Reason for each bad file, by path."""
    return {path: row["error"] for path, row in self.rows.items() if row["error"]}


def check_folder(
  root: str | pathlib.Path,
  *,
  manifest: str | pathlib.Path,
  bad: str | pathlib.Path,
  num_threads: int = 4,
  time_limit: float = TIME_LIMIT,
  track: Track = lambda rows, total: rows,
) -> Check:
  """Decodes all videos under a folder and writes a manifest of them.

  It may be stopped at any time and called again: rows of files with the same
  size and time of change are kept. Rows of files that are gone are dropped.

  Args:
    root: Folder; files of the suffixes `file_names.SUFFIXES` and folders of
      numbered pictures at any depth count, see
      `scan_folder.list_videos`.
    manifest: JSON lines to write, one per file: `path` from `root`, `bytes`,
      `mtime_ns`, `sha256`, `error` (None for a good file), and of a good one
      `frames`, `fps`, `height` and `width` the right way up, `keyframes`, the
      numbers of the frames that are decoded without others, and `index`, the
      record of `manifest.write_index` if the file had to be decoded to find its
      frames. Bytes of names that are no UTF-8 are surrogates, as Python
      reads file names.
    bad: Text file to write, see `manifest.write_bad`; it may exist only as the
      list of an earlier check with this manifest.
    num_threads: Files that are decoded at a time.
    time_limit: Seconds that a file may take; one that takes longer is bad.
    track: Shows progress.

  Raises:
    FileExistsError: If `bad` is another file than such a list.
    FileNotFoundError: If `root` is no folder.
    OSError: If a file cannot be written, see `storage.check_outputs`.
    ValueError: If `root` holds no video, the manifest is none, both files are
      the same, one is a video, or `num_threads` is below 1.
  """
  root = pathlib.Path(root)
  listing = list_videos(root)
  videos = listing.videos
  if not videos:
    raise ValueError(
      f"{root} holds no video; files must end in one of {', '.join(SUFFIXES)}, "
      "or be numbered pictures in a folder."
    )
  files = {"manifest": manifest, "bad": bad}
  check_outputs(files, (root / path for path in videos))
  known = read_manifest(manifest)
  _check_replaced(manifest, bad, known)
  kept = {
    path: known[path]
    for path in videos
    if path in known and _unchanged(root / path, known[path])
  }
  todo = [path for path in videos if path not in kept]
  check = functools.partial(check_file, root, time_limit=time_limit)
  done = run_parallel(check, todo, num_threads)
  # Now, so that a file that cannot be written is not found at the end. All bad
  # files of the list are in the manifest whenever the check is stopped.
  write_bad(bad, kept.values())
  write_manifest(manifest, kept.values())
  new = (row for _, row in done)
  rows = dict(kept)
  with pathlib.Path(manifest).open("a") as out:
    for row in track(new, len(todo)):
      rows[row["path"]] = row
      out.write(json.dumps(row) + "\n")
      out.flush()
  rows = dict(sorted(rows.items()))
  write_manifest(manifest, rows.values())
  write_bad(bad, rows.values())
  return Check(rows, len(todo), len(kept), listing.others)


def _check_replaced(
  manifest: str | pathlib.Path, bad: str | pathlib.Path, known: dict[str, Row]
) -> None:
  """Refuses to replace files that no check wrote.

  Args:
    manifest: The manifest to write.
    bad: The list of bad files to write.
    known: Rows of the manifest that is there.
  """
  for path, row in known.items():
    if missing := [key for key in _KEYS if key not in row]:
      raise ValueError(
        f"{manifest} is no manifest of a check: the row of {path} lacks {missing}; "
        "give another name."
      )
  if pathlib.Path(bad).is_file() and not is_bad_list(bad, known.values()):
    raise FileExistsError(
      f"{bad} exists, and is no list of bad files of an earlier check with {manifest}: "
      "give another name, or remove it."
    )


def check_file(root: pathlib.Path, path: str, *, time_limit: float = TIME_LIMIT) -> Row:
  """Decodes a video once and returns its row of the manifest.

  Args:
    root: Folder of the path.
    path: The file or the folder of pictures, from `root`.
    time_limit: Seconds it may take.
  """
  row: Row = {"path": path, "bytes": None, "mtime_ns": None, "sha256": None}
  try:
    size, mtime_ns = read_stamp(root / path)
    row |= {"bytes": size, "mtime_ns": mtime_ns}
    if not size and not (root / path).is_dir():
      # Files of the kernel have no size either; some of them never end.
      raise VideoError("the file is empty")
    row["sha256"] = digest(root / path)
    if (root / path).is_dir():
      return row | _decode_pictures(root / path) | {"error": None}
    return row | decode_all(root / path, time_limit=time_limit) | {"error": None}
  except VideoError as error:
    return row | {"error": str(error)}
  except OSError as error:
    return row | {"error": reason(error)}


def decode_all(file: str | pathlib.Path, *, time_limit: float = TIME_LIMIT) -> Row:
  """Decodes every frame of a file from first to last.

  Args:
    file: The video.
    time_limit: Seconds it may take.

  Returns:
    `frames`, `fps` (None of a single frame), `height`, `width`, `keyframes` and
    `index`, see `check_folder`.

  Raises:
    VideoError: If the file cannot be opened, a frame cannot be decoded without
      faults, or it takes too long.
  """
  with VideoReader(file, time_limit=time_limit) as reader:
    _, (height, width) = reader.read_stretched([0], (256, 256))
    # All are held at once: as small as the scaler makes them in one step.
    thumbnail = max(8, -(-height // 100)), max(8, -(-width // 100))
    reader.read_stretched(range(reader.num_frames), thumbnail)
    return {
      "frames": reader.num_frames,
      "fps": reader.fps,
      "height": height,
      "width": width,
      "keyframes": reader.keyframes,
      "index": (
        write_index(reader.index) if isinstance(reader.index, DecodedIndex) else None
      ),
    }


def _decode_pictures(folder: pathlib.Path) -> Row:
  """Decodes every picture of a folder, see `decode_all`.

  Raises:
    VideoError: If one cannot be decoded, or they differ in size.
  """
  with open_reader(str(folder)) as reader:
    _, (height, width) = reader.read_stretched([0], (8, 8))
    reader.pictures(range(reader.num_frames), short_side=8)
    return {
      "frames": reader.num_frames,
      "fps": reader.fps,
      "height": height,
      "width": width,
      "keyframes": [*range(reader.num_frames)],
    }


def _unchanged(video: pathlib.Path, row: Row) -> bool:
  """Whether a video is still the one of a row."""
  try:
    stamp = read_stamp(video)
  except (OSError, VideoError):
    return False
  return stamp == (row.get("bytes"), row.get("mtime_ns"))
