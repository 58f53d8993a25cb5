"""Handles videos that cannot be read: raises, or leaves them out."""

import pathlib
import threading

from absl import logging

from temporal_jax.display import printable
from temporal_jax.storage import append_json_line, read_json_lines
from temporal_jax.validation import check_choice

_FIELDS = {"video": str, "reason": str}
ON_ERROR = ("raise", "skip", "mask")


class BadVideoError(RuntimeError):
  """A run stops because of a video that cannot be read."""


class BadVideos:
  """Collects the videos that could not be read: named, counted, written down.

  Safe to use from many threads. No video ever replaces another: `policy`
  "raise" stops at the first bad one, "skip" leaves it out, "mask" keeps its
  place with black frames of weight zero.

  Attributes:
    policy: One of `ON_ERROR`.
  """

  def __init__(self, policy: str, file: str | pathlib.Path | None = None):
    """Starts empty.

    Args:
      policy: One of `ON_ERROR`.
      file: File that lists every bad video, one JSON object per line; a video
        that an earlier start listed is not listed again. None writes nothing.

    Raises:
      ValueError: If the policy is unknown, or a line of the file is damaged.
    """
    check_choice("on_error", policy, ON_ERROR)
    self.policy = policy
    self._file = None if file is None else pathlib.Path(file)
    self._lock = threading.Lock()
    self._reasons: dict[str, str] = {}
    rows = read_json_lines(file, _FIELDS) if file else []
    self._written = {row["video"] for row in rows}

  def add(self, video: str, reason: str, listed: int) -> None:
    """Notes that `video`, one of `listed`, could not be read.

    Raises:
      BadVideoError: If the policy is "raise", or no video is left.
    """
    if self.policy == "raise":
      raise BadVideoError(
        f"cannot read {printable(video)}: {reason.removesuffix('.')}. "
        "config.data.on_error can be 'skip' or 'mask' to go on without it."
      )
    with self._lock:
      if video in self._reasons:
        return
      self._reasons[video] = reason
      count = len(self._reasons)
      if self._file is not None and video not in self._written:
        row = {"video": video, "reason": reason}
        append_json_line(self._file, row)
        self._written.add(video)
    logging.warning(
      "bad video %d (%s): %s: %s",
      count,
      self.policy,
      printable(video),
      printable(reason),
    )
    if count >= listed:
      raise BadVideoError(f"none of the {listed} videos can be read: {reason}.")

  def reasons(self) -> dict[str, str]:
    """Returns the reason for each bad video, by name."""
    with self._lock:
      return dict(self._reasons)
