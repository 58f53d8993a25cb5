import pathlib

import matplotlib.figure
import matplotlib.image
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from temporal_jax.display import picture_text


@pytest.fixture
def walking(tmp_path):
  """An installed font whose only letters are a and 走: a filled square."""
  pen = TTGlyphPen(None)
  pen.moveTo((0, 0))
  for corner in ((0, 1000), (1000, 1000), (1000, 0)):
    pen.lineTo(corner)
  pen.closePath()
  square = pen.glyph()
  font = FontBuilder(1000)
  font.setupGlyphOrder([".notdef", "square"])
  font.setupCharacterMap({ord("走"): "square", ord("a"): "square"})
  font.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": square})
  font.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
  font.setupHorizontalHeader(ascent=1000, descent=0)
  font.setupNameTable({"familyName": "Walking", "styleName": "Regular"})
  font.setupOS2(sTypoAscender=1000, usWinAscent=1000)
  font.setupPost()
  file = str(tmp_path / "walking.ttf")
  font.save(file)
  manager = font_manager.fontManager
  before = list(manager.ttflist)
  manager.addfont(file)
  _forget()
  yield file
  manager.ttflist = before
  _forget()


def _forget():
  picture_text._font_of.cache_clear()
  picture_text._others.cache_clear()


def _draw(file, text):
  figure = matplotlib.figure.Figure((4, 1))
  figure.text(0.1, 0.3, text, fontsize=20)
  picture_text.save_figure(figure, file, dpi=50)
  return matplotlib.image.imread(file)[..., 0]


def test_a_picture_appears_whole_or_not_at_all(tmp_path, monkeypatch):
  file = tmp_path / "a.png"
  _draw(file, "before")
  before = file.read_bytes()

  def savefig(figure, place, **_):
    pathlib.Path(place).write_bytes(b"half")
    raise OSError("no more")

  monkeypatch.setattr(matplotlib.figure.Figure, "savefig", savefig)
  with pytest.raises(OSError, match="no more"):
    _draw(file, "after")
  assert file.read_bytes() == before
  assert list(tmp_path.iterdir()) == [file]


def test_letters_that_no_font_has_are_escaped(tmp_path):
  letter = "\U0001e900"  # Adlam.
  assert picture_text.drawable(f"a {letter}\nb") == "a \\U0001e900\nb"
  assert picture_text.drawable("ходьба é שלום") == "ходьба é שלום"
  assert picture_text.drawable("\x1b") == "\\u001b"
  assert _draw(tmp_path / "x.png", picture_text.drawable(letter)).min() < 0.5


def test_another_font_has_the_letters(tmp_path, walking):
  assert picture_text.drawable("走é") == "走é"
  picture = _draw(tmp_path / "x.png", "走")
  side = 20 * 50 / 72  # 20 points at 50 dots an inch: a black square.
  assert np.sum(picture < 0.5) == pytest.approx(side**2, rel=0.15)


def test_a_font_for_a_whole_text(walking):
  assert picture_text.font_file("走a") == walking
  assert picture_text.font_file("é").endswith("DejaVuSans.ttf")
  own = picture_text.font_file("走é")  # No font has both.
  assert own.endswith("DejaVuSans.ttf")
  assert picture_text.drawable_in(own, "走é") == "\\u8d70é"


@pytest.mark.parametrize("text", ["$x^2", "a $5 b $6", r"$\foo$", "_$_$"])
def test_dollars_begin_no_formula(tmp_path, text):
  # As many letters: without markup dollars are as wide as S is.
  drawn = _draw(tmp_path / "a.png", text)
  columns = np.flatnonzero((drawn < 0.5).any(axis=0))
  other = _draw(tmp_path / "b.png", text.replace("$", "S"))
  expected = np.flatnonzero((other < 0.5).any(axis=0))
  assert np.ptp(columns) == pytest.approx(np.ptp(expected), abs=6)


def test_a_name_is_short_and_in_one_line():
  assert picture_text.short_label("a\nb") == "a b"
  assert len(picture_text.short_label("x" * 300)) == 40
  assert len(picture_text.short_label("x" * 300, 10)) == 10
