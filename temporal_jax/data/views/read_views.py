"""Reads the test views of a video: its clips and their crops."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from temporal_jax.data.sampling import sample_indices
from temporal_jax.data.video.readers import Reader
from temporal_jax.data.views.eval_protocol import CROP_RULES, NUM_CROPS, EvalProtocol
from temporal_jax.validation import check_choice


class CropPlace(NamedTuple):
  """Place of a crop, in pixels, and whether it is mirrored left to right."""

  top: int
  left: int
  mirrored: bool = False


def crop_places(
  height: int, width: int, size: int, num_crops: int, rule: str
) -> tuple[CropPlace, ...]:
  """Returns the places of the crops of a frame, in the order of the rule.

  With r pixels between a frame's side and the crop's, a crop is at its start,
  middle or end:

  | rule | start, middle, end | three crops in order | as |
  |---|---|---|---|
  | exact | 0, r // 2, r | start, middle, end | TAda |
  | rounded_up | 0, (r + 1) // 2, r | start, middle, end | X-ViT |
  | halves | 0, r // 2, 2 (r // 2) | start, end, middle | ILA |
  | quarters | 0, 2 (r // 4), 4 (r // 4) | start, end, middle | ATM |

  Three crops are spread along the longer side, with "quarters" always from left
  to right, in the middle of the other. Ten are the corners, row by row, and the
  middle, each followed by its mirror image.

  Args:
    height: Height of the frame, in pixels.
    width: Width of the frame, in pixels.
    size: Side of the square crops, in pixels.
    num_crops: One of `eval_protocol.NUM_CROPS`.
    rule: One of `eval_protocol.CROP_RULES`.

  Raises:
    ValueError: If the frame is smaller than the crop, or `num_crops` or `rule`
      is none of these.

  Source: `_get_controlled_crop` of alibaba-mmai-research/TAdaConv,
    `uniform_crop` of 1adrianb/video-transformers, `ThreeCrop` and `TenCrop` of
    Francis-Rings/ILA, test_for_frame.py of whwu95/ATM.
  """
  check_choice("num_crops", num_crops, NUM_CROPS)
  check_choice("rule", rule, CROP_RULES)
  if min(height, width) < size:
    raise ValueError(
      f"a {size} x {size} crop does not fit frames of {height} x {width}; "
      "resize them first, by short_side of the network's protocol "
      "(--config.eval.short_side in training)."
    )
  tops, lefts = _RULES[rule](height - size), _RULES[rule](width - size)
  middle = CropPlace(tops[1], lefts[1])
  if num_crops == 1:
    return (middle,)
  if num_crops == 10:
    corners = [CropPlace(top, left) for top in tops[::2] for left in lefts[::2]]
    return tuple(
      place._replace(mirrored=mirrored)
      for place in (*corners, middle)
      for mirrored in (False, True)
    )
  if height > width and rule != "quarters":
    start, _, end = (middle._replace(top=top) for top in tops)
  else:
    start, _, end = (middle._replace(left=left) for left in lefts)
  middle_last = rule in ("halves", "quarters")
  return (start, end, middle) if middle_last else (start, middle, end)


def clip_indices(
  protocol: EvalProtocol, total: int, fps: float | None = None
) -> np.ndarray:
  """Returns the frames (K, T) of the K clips of a video, int64.

  Args:
    protocol: Protocol of the test.
    total: Frames in the video.
    fps: Frames per second of the video, which some rules need.
  """
  return np.stack(
    [
      sample_indices(
        total,
        protocol.num_frames,
        sampling=protocol.sampling,
        stride=protocol.stride,
        fps=fps,
        clip=clip,
        num_clips=protocol.num_clips,
      )
      for clip in range(protocol.num_clips)
    ]
  )


def read_views(
  reader: Reader,
  protocol: EvalProtocol,
  *,
  fps: float | None = None,
  span: tuple[int, int] | None = None,
) -> np.ndarray:
  """Decodes all views of a video; a frame that several show, once.

  Args:
    reader: Reader of the video.
    protocol: Protocol of the test.
    fps: Frames per second of the video, which some rules need.
    span: First frame and number of frames of the part that is tested, see
      `sampling.frames_of_span`; None is the whole video.

  Returns:
    Views (V, T, S, S, C) of V = K clips x crops, uint8, RGB or flow: all crops
    of the first clip, then all of the next.

  Raises:
    VideoError: If a frame cannot be decoded.
    ValueError: If frames are smaller than the crop, differ in size, or are flow
      that would be mirrored.
  """
  first, total = (0, reader.num_frames) if span is None else span
  indices = clip_indices(protocol, total, fps) + first
  wanted, places = np.unique(indices, return_inverse=True)
  if protocol.stretch is None:
    frames = reader.pictures(wanted.tolist(), short_side=protocol.short_side)
  else:
    frames, _ = reader.read_stretched(wanted.tolist(), protocol.stretch)
  sizes = {frame.shape[:2] for frame in frames}
  if len(sizes) > 1:
    raise ValueError(f"frames of one video differ in size: {sorted(sizes)}.")
  if protocol.num_crops == 10 and frames[0].shape[-1] != 3:
    raise ValueError(
      "10 crops are half mirrored, which flow cannot be: use 1 or 3, by "
      "--config.eval.num_crops or --views."
    )
  height, width = sizes.pop()
  crops = crop_places(
    height,
    width,
    protocol.crop_size,
    protocol.num_crops,
    protocol.crop_rule,
  )
  return np.stack(
    [
      _cut([frames[place] for place in clip], crop, protocol.crop_size)
      for clip in places.reshape(indices.shape)
      for crop in crops
    ]
  )


def _cut(frames: list[np.ndarray], place: CropPlace, size: int) -> np.ndarray:
  """Returns a crop (T, S, S, C) of frames."""
  rows = slice(place.top, place.top + size)
  columns = slice(place.left, place.left + size)
  crop = np.stack([frame[rows, columns] for frame in frames])
  return crop[:, :, ::-1] if place.mirrored else crop


# From the pixels between the sides of frame and crop to three places.
_RULES: dict[str, Callable[[int], tuple[int, int, int]]] = {
  "exact": lambda room: (0, room // 2, room),
  "rounded_up": lambda room: (0, (room + 1) // 2, room),
  "halves": lambda room: (0, room // 2, 2 * (room // 2)),
  "quarters": lambda room: (0, 2 * (room // 4), 4 * (room // 4)),
}
