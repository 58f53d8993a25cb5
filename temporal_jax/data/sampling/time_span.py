"""The frames of a labelled part of a longer video."""

import bisect
from collections.abc import Sequence


def frames_of_span(
  times: Sequence[float], start: float, stop: float
) -> tuple[int, int]:
  """Returns the first frame of a span of time, and how many there are.

  Rules then choose among that many, and the first is added to their indices.

  Args:
    times: Time of each frame on the screen, ascending, in seconds after the
      first.
    start: Start of the span, in seconds after the first frame.
    stop: End of the span, later than `start`; may be past the video's end, as
      annotations often are.

  Returns:
    Index of the first frame that is shown at `start` or later and before
    `stop`, and their number. Where there is none, the frame that is on the
    screen at `start`.

  Raises:
    ValueError: If there is no frame, or the span is empty or past the end.
  """
  if not len(times):
    raise ValueError("a video has at least 1 frame.")
  if not 0 <= start < stop:
    raise ValueError(f"a span must have 0 <= start < stop, got {start} to {stop} s.")
  if start > times[-1] and start >= times[-1] + _last_duration(times):
    raise ValueError(
      f"the span {start} to {stop} s is past the last frame, at {times[-1]} s."
    )
  first = bisect.bisect_left(times, start)
  count = bisect.bisect_left(times, stop) - first
  if count:
    return first, count
  return bisect.bisect_right(times, start) - 1, 1


def _last_duration(times: Sequence[float]) -> float:
  """Returns for how long the last frame is shown: as the one before it."""
  return times[-1] - times[-2] if len(times) > 1 else float("inf")
