"""Writes a video with heat maps over its frames."""

import fractions
import os
from collections.abc import Iterable, Iterator, Sequence

import av
import numpy as np

from temporal_jax.data.video.readers import Reader
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.inference.visualize.heat_colors import paint
from temporal_jax.inference.visualize.read_clip import read_frames
from temporal_jax.storage import whole_file

_FPS = 25  # For videos that have no rate.
_CHUNK = 32  # Frames held at once.


def save_overlay(
  file: str | os.PathLike,
  reader: Reader,
  protocol: EvalProtocol,
  indices: np.ndarray,
  panels: Sequence[np.ndarray],
) -> int:
  """Writes an mp4 of the frames, and next to them the frames under each map.

  It shows the first view of the protocol, from the first to the last of its
  frames, at the rate of the video, or 25 frames per second if it has
  none. Few frames are held at once.

  Args:
    file: mp4 to write; it appears only when it is complete.
    reader: Reader of the video.
    protocol: See `read_frames`.
    indices: Frames (T,) that the maps are of.
    panels: Maps (T, h, w) in [0, 1], one after the other from left to right.

  Returns:
    The number of frames written.

  Raises:
    VideoError: If a frame cannot be decoded.
  """
  wanted = range(int(min(indices)), int(max(indices)) + 1)

  def pictures() -> Iterator[np.ndarray]:
    for start in range(0, len(wanted), _CHUNK):
      chunk = wanted[start:][:_CHUNK]
      frames = read_frames(reader, protocol, chunk)
      painted = [
        paint(frames, maps_between(maps, indices, np.array(chunk))) for maps in panels
      ]
      yield from np.concatenate([frames, *painted], axis=2)

  with whole_file(file) as partial:
    _write(partial, pictures(), fps=reader.fps or _FPS)
  return len(wanted)


def maps_between(
  maps: np.ndarray, indices: np.ndarray, frames: np.ndarray
) -> np.ndarray:
  """Interpolates maps linearly in time.

  Args:
    maps: (T, h, w).
    indices: Frames (T,) that they are of, in any order; of equal ones the
      first counts.
    frames: Frames (F,) between the first and the last of them.

  Returns:
    Maps (F, h, w).
  """
  known, first = np.unique(indices, return_index=True)
  weights = [np.interp(frames, known, row) for row in np.eye(len(known))]
  return np.einsum("tf,thw->fhw", np.stack(weights), np.asarray(maps)[first])


def _write(
  file: str | os.PathLike, frames: Iterable[np.ndarray], *, fps: float
) -> None:
  """Encodes frames (H, W, 3) uint8 one by one; odd sides grow by a pixel."""
  rate = fractions.Fraction(fps).limit_denominator(1001)
  stream = None
  with av.open(os.fspath(file), "w", format="mp4") as container:
    for frame in frames:
      height, width = frame.shape[:2]
      margins = ((0, height % 2), (0, width % 2), (0, 0))
      frame = np.pad(frame, margins, mode="edge")
      if stream is None:
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width = frame.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {"crf": "18"}
      container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
    container.mux(stream.encode())
