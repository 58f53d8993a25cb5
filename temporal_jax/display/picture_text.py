"""Fonts and text of figures, for names in any script."""

import functools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from temporal_jax.display.names import printable, shortened
from temporal_jax.storage import whole_file

# Matplotlib takes 0.6 s to import: only functions that draw import it.
if TYPE_CHECKING:
  import numpy as np
  from matplotlib.figure import Figure

# Fonts for letters that matplotlib's own lacks, the first installed one of
# which is taken; after them any other that has the letters.
_PREFERRED = (
  "Noto Sans CJK JP",
  "Noto Sans CJK SC",
  "Noto Sans CJK KR",
  "Source Han Sans",
  "WenQuanYi Micro Hei",
  "WenQuanYi Zen Hei",
  "IPAGothic",
  "IPAexGothic",
  "Droid Sans Fallback",
  "Unifont",
  "Hiragino Sans",
  "PingFang SC",
  "Apple SD Gothic Neo",
  "Microsoft YaHei",
  "Yu Gothic",
  "Malgun Gothic",
  "MS Gothic",
  "Arial Unicode MS",
  "Noto Sans",
  "FreeSans",
)
_OWN = "DejaVu Sans"  # Comes with matplotlib.
# A font with a box for every character, none of them readable.
_BOXES = "Last Resort"


def drawable(text: str) -> str:
  r"""Returns text whose letters some installed font has.

  Line breaks stay. A letter that no font has, or that `printable` escapes,
  becomes an escape as in JSON: \u8d70.
  """
  return "\n".join(
    "".join(map(_drawable, printable(line))) for line in text.split("\n")
  )


def short_label(name: str, longest: int = 40) -> str:
  """Returns a name of a class or a file for a picture: short, in one line."""
  return drawable(shortened(name, longest))


def new_figure(width: float, height: float) -> "Figure":
  """Returns an empty figure that keeps its parts apart.

  Args:
    width: Width in inches.
    height: Height in inches.
  """
  from matplotlib.figure import Figure

  return Figure((width, height), layout="constrained")


def save_figure(
  figure: "Figure",
  file: str | os.PathLike | BinaryIO,
  *,
  dpi: int,
) -> None:
  """Writes a figure as PNG, its texts as they are: $ begins no formula.

  Args:
    figure: Its texts are `drawable`.
    file: PNG to write, which appears only when it is complete; or a binary
      stream.
    dpi: Pixels per inch.
  """
  from matplotlib.text import Text

  for text in figure.findobj(Text):
    text.set_parse_math(False)
    others = _families(text.get_text())
    text.set_fontfamily([*text.get_fontfamily(), _OWN, *others])
  if isinstance(file, str | os.PathLike):
    with whole_file(file) as partial:
      figure.savefig(partial, dpi=dpi, format="png")
  else:
    figure.savefig(file, dpi=dpi, format="png")


def as_colors(frames: "np.ndarray") -> "np.ndarray":
  """Returns frames (..., C) as they are drawn (..., 3).

  Of optical flow, which has other channels than three, the first is shown in
  grey: the horizontal part of the first pair.
  """
  return frames if frames.shape[-1] == 3 else frames[..., :1].repeat(3, axis=-1)


def font_file(text: str) -> str:
  """Returns the file of one font for a whole text.

  Matplotlib's own, where it has all the letters that are `drawable` or no other
  font does.
  """
  own = _own_font()
  for file in (own, *(file for _, file in _others())):
    if all(ord(letter) in _letters(file) for letter in text):
      return file
  return own


def drawable_in(file: str, text: str) -> str:
  """Returns text whose letters one font has; others become escapes."""
  return "".join(
    letter if ord(letter) in _letters(file) else _escape(letter)
    for letter in printable(text)
  )


def _drawable(letter: str) -> str:
  known = ord(letter) in _letters(_own_font()) or _font_of(letter)
  return letter if known else _escape(letter)


def _escape(letter: str) -> str:
  return letter.encode("ascii", "backslashreplace").decode()


def _families(text: str) -> list[str]:
  """Returns the other fonts that a text needs."""
  own = _letters(_own_font())
  lacking = (letter for letter in text if ord(letter) not in own)
  found = (_font_of(letter) for letter in lacking if letter != "\n")
  return list(dict.fromkeys(filter(None, found)))


@functools.cache
def _font_of(letter: str) -> str:
  """Returns the first font, apart from matplotlib's own, with a letter."""
  for name, file in _others():
    if ord(letter) in _letters(file):
      return name
  return ""


@functools.cache
def _own_font() -> str:
  """Returns the file of the font that comes with matplotlib."""
  import matplotlib

  return os.path.join(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


@functools.cache
def _others() -> tuple[tuple[str, str], ...]:
  """Returns name and file of the other installed fonts, best first."""
  found = dict(_installed())
  names = [name for name in _PREFERRED if name in found]
  names += sorted(found.keys() - set(names))
  return tuple((name, found[name]) for name in names)


def _installed() -> Iterator[tuple[str, str]]:
  """Yields name and file of the fonts that are not matplotlib's own.

  A name may have several files; the upright one of normal weight comes last.
  """
  import matplotlib
  from matplotlib import font_manager

  own = matplotlib.get_data_path()
  upright = {"style": "normal", "variant": "normal", "weight": 400}
  fonts = sorted(
    font_manager.fontManager.ttflist,
    key=lambda font: sum(getattr(font, key) == value for key, value in upright.items()),
  )
  for font in fonts:
    if not font.fname.startswith(own) and _BOXES not in font.name:
      yield font.name, font.fname


@functools.cache
def _letters(file: str) -> frozenset[int]:
  """Returns the code points that a font can draw at any size."""
  from matplotlib import ft2font

  try:
    font: Any = ft2font.FT2Font(file)
  except (OSError, RuntimeError):
    return frozenset()
  # Colour pictures of one size cannot be drawn.
  return frozenset(font.get_charmap()) if font.scalable else frozenset()
