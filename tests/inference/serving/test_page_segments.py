"""Segments on the page, in a browser."""

import contextlib

import pytest

from tests.support.page_content import LABELS, create_answer, introduction, text
from tests.support.page_server import running

SEGMENTS = [
  {"label": "jumping", "start": 0.2, "end": 0.8, "score": 0.9},
  {"label": "<b>bold</b>", "start": 1.0, "end": 2.0, "score": 0.5},
  {"label": "jumping", "start": 0.1, "end": 1.0, "score": 0.3},
]


@contextlib.contextmanager
def _shown(browser, video, segments):
  """Opens a page with the answer for a video."""

  def answer(path):
    return {**create_answer(20, 2.0, LABELS), "segments": segments}

  with running(answer, settings=introduction(*LABELS)) as server:
    browser.open(server.url)
    browser.choose("#file", video)
    browser.wait("document.querySelector('.cursor')")
    yield browser


@pytest.fixture
def shown(browser, video):
  browser.resize(1200, 900)
  with _shown(browser, video, SEGMENTS):
    yield browser


_BARS = """
return [...document.querySelectorAll('#segments .segment')].map((bar) => {
  const {left, width} = bar.getBoundingClientRect();
  const base = document.querySelector('#segments svg').getBoundingClientRect();
  return [left - base.left, width, base.width, bar.textContent];
});
"""


def test_bars_are_where_the_segments_are(shown):
  names = shown.run(
    "return [...document.querySelectorAll('#segments li')].map((x) => x.innerText)"
  )
  assert names == ["jumping", "<b>bold</b>"]
  bars = shown.run(_BARS)
  # The surest of a class is drawn last.
  wanted = [SEGMENTS[2], SEGMENTS[0], SEGMENTS[1]]
  assert len(bars) == 3
  for (left, width, whole, words), one in zip(bars, wanted, strict=True):
    scale = (whole - 18 - 24) / 2.0
    assert left == pytest.approx(18 + scale * one["start"], abs=1)
    assert width == pytest.approx(scale * (one["end"] - one["start"]), abs=1.5)
    assert words.startswith(f"{one['label']}, 0:0")
  assert shown.complaints() == []


def test_the_table_moves_the_film(shown):
  assert "3 segments" in text(shown, "#segments")
  shown.run("document.querySelector('#segments details').open = true")
  rows = [
    " ".join(row.split()) for row in text(shown, "#segments tbody").splitlines() if row
  ]
  assert " ".join(rows).startswith("0:00.1 \u2013 0:01.0 jumping 30.0 % 0:00.2")
  shown.wait("document.querySelector('video').readyState >= 1")
  shown.run("document.querySelectorAll('#segments tbody button')[2].click()")
  assert shown.run("return document.querySelector('video').currentTime") == 1


@pytest.mark.parametrize("width", [320, 760])
def test_no_row_is_wider_than_the_page(browser, video, width):
  browser.resize(width, 800)
  segments = [
    {"label": f"a class of a long name {i}", "start": i / 9, "end": 1.5, "score": 0.5}
    for i in range(12)
  ]
  with _shown(browser, video, segments):
    assert browser.run("return document.documentElement.scrollWidth") <= width
    names = browser.run("return document.querySelectorAll('#segments li').length")
    assert names == 8
    assert "5 others" in text(browser, "#segments")


def test_a_video_without_segments_says_so(browser, video):
  with _shown(browser, video, []):
    assert "No segment was found." in text(browser, "#segments")
