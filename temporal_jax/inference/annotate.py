"""Writes predicted classes on the frames of videos."""

import functools
import os
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from temporal_jax.data.video.transcode import Transcoding, transcode
from temporal_jax.display import shortened
from temporal_jax.display.picture_text import drawable_in, font_file
from temporal_jax.storage import check_outputs

if TYPE_CHECKING:
  from PIL import Image, ImageFont

_LETTERS = 200  # A label has at most these, before it is cut to the picture's width.
_SMALLEST = 10  # Pixels of a text that can still be read.
_DARK, _BAR, _WHITE = (0, 0, 0, 160), (0, 110, 150, 210), (255, 255, 255, 255)


def annotate(
  video: str | os.PathLike,
  out: str | os.PathLike,
  labels: Sequence[tuple[str, float]],
) -> int:
  """Writes a video with labels and their probabilities on all frames.

  It is H.264 in mp4, frame by frame at the same times and of the same size
  except for an odd row or column, upright, and without sound. As many labels
  are shown as fit into the lower half of a frame; a long one is cut.

  Args:
    video: The video.
    out: File to write; it appears only when it is complete.
    labels: Label and probability in [0, 1], best first.

  Returns:
    Frames written.

  Raises:
    VideoError: If a frame cannot be read or written.
    OSError: If `out` cannot be written, see `storage.check_outputs`.
    ValueError: If there is no label, `out` does not end in .mp4, or is the
      video.
  """
  from PIL import Image

  if not labels:
    raise ValueError("there is no label to write on the frames.")
  check_suffix(out)
  check_outputs({"out": out}, [video])

  @functools.cache
  def caption(height: int, width: int) -> "Image.Image":
    return draw_caption(labels, height, width)

  def paint(pixels: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(pixels)
    text = caption(*pixels.shape[:2])
    picture.paste(text, (0, picture.height - text.height), text)
    return np.asarray(picture)

  return transcode(video, out, Transcoding(short_side=None), paint=paint)


def check_suffix(out: str | os.PathLike) -> None:
  """Raises ValueError if `out` is no name for an annotated video."""
  if pathlib.Path(out).suffix.lower() != ".mp4":
    raise ValueError(f"an annotated video must end in .mp4, got {out}.")


def draw_caption(
  labels: Sequence[tuple[str, float]], height: int, width: int
) -> "Image.Image":
  """Returns labels as rows with bars as long as their probabilities, RGBA.

  Args:
    labels: See `annotate`.
    height: Height of the frames, in pixels; the caption has at most half of it,
      and at least a row.
    width: Width of the frames, in pixels, and the most of the caption.
  """
  from PIL import Image, ImageDraw, ImageFont

  size = max(_SMALLEST, round(min(height, width) / 22))
  font = ImageFont.truetype(font_file(""), size)
  row, gap = round(1.4 * size), round(0.4 * size)
  labels = labels[: max(1, height // 2 // row)]
  figures = [f"{probability:.1%}" for _, probability in labels]
  column = gap + max(font.getlength(figure) for figure in figures)
  room = width - column - 3 * gap
  texts = [shortened(label, _LETTERS) for label, _ in labels]
  # A font that has all letters of a label, if one is installed.
  files = list(map(font_file, texts))
  fonts = [ImageFont.truetype(file, size) for file in files]
  names = [
    _cut(drawable_in(file, text), of_name, room)
    for file, text, of_name in zip(files, texts, fonts, strict=True)
  ]
  across = column + 3 * gap + max(map(_length, names, fonts))
  across = min(width, max(round(across), width // 3))
  picture = Image.new("RGBA", (across, row * len(labels)), _DARK)
  draw = ImageDraw.Draw(picture)
  for place, ((_, probability), figure, name, of_name) in enumerate(
    zip(labels, figures, names, fonts, strict=True)
  ):
    top, middle = place * row, place * row + row / 2
    end = round(probability * across)
    if end:
      draw.rectangle((0, top + 1, end - 1, top + row - 2), _BAR)
    draw.text((column, middle), figure, _WHITE, font, anchor="rm")
    draw.text((column + gap, middle), name, _WHITE, of_name, anchor="lm")
  return picture


def _length(text: str, font: "ImageFont.FreeTypeFont") -> float:
  return font.getlength(text)


def _cut(text: str, font: "ImageFont.FreeTypeFont", room: float) -> str:
  """Returns a text as far as it fits."""
  if font.getlength(text) <= room:
    return text
  while text and font.getlength(text + "…") > room:
    text = text[:-1]
  return text + "…"
