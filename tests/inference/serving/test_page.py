import base64
import shutil
import struct
import zlib

import numpy as np
import pytest

from temporal_jax.data import VideoError, open_reader
from temporal_jax.data.video.encoding import encode_mp4
from tests.conftest import make_frames
from tests.support.browser import PROGRAMS, browsing
from tests.support.page_server import running

pytestmark = pytest.mark.skipif(
  not all(map(shutil.which, PROGRAMS)),
  reason=f"needs {' and '.join(PROGRAMS)}",
)
LABELS = ["jumping", "<b>bold</b>", "running"]


def _png(width, height):
  """Returns a grey picture."""
  rows = (b"\0" + b"\x80" * width) * height
  parts = [
    (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
    (b"IDAT", zlib.compress(rows)),
    (b"IEND", b""),
  ]
  return b"\x89PNG\r\n\x1a\n" + b"".join(
    struct.pack(">I", len(data))
    + kind
    + data
    + struct.pack(">I", zlib.crc32(kind + data))
    for kind, data in parts
  )


def _answer(path):
  with open_reader(str(path)) as reader:
    frames, seconds = reader.num_frames, reader.num_frames / reader.fps
  if frames > 20:
    raise VideoError(f"{frames} frames are too many")
  shares = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]
  points = [
    {"start": 0.5 * i, "end": 0.5 * i + 1, "probabilities": share}
    for i, share in enumerate(shares)
  ]
  predictions = [
    {"label": label, "probability": share}
    for label, share in zip(LABELS, (0.625, 0.25, 0.125), strict=True)
  ]
  image = base64.b64encode(_png(80, 20)).decode()
  return {
    "frames": frames,
    "seconds": seconds,
    "tasks": [
      {
        "name": "",
        "predictions": predictions,
        "timeline": {"labels": LABELS, "points": points},
      }
    ],
    "strip": {
      "about": "where it saw jumping",
      "pictures": [
        {"time": time, "image": f"data:image/png;base64,{image}"}
        for time in (0.25, 1.0)
      ],
    },
  }


@pytest.fixture(scope="module")
def page(tmp_path_factory):
  """A browser and the server whose page it looks at."""
  settings = {"model": "tiny", "classes": 3, "clip": [4, 16, 16]}
  settings["maxSeconds"] = 600
  folder = tmp_path_factory.mktemp("browser")
  with (
    running(_answer, limits={"max_bytes": 300_000}, settings=settings) as server,
    browsing(folder) as browser,
  ):
    browser.resize(1200, 900)
    yield browser, server


@pytest.fixture
def video(tmp_path):
  path = tmp_path / "jump & run.mp4"
  path.write_bytes(encode_mp4(make_frames(20), fps=10))
  return path


def _text(browser, selector):
  return browser.run("return document.querySelector(arguments[0]).innerText", selector)


def test_a_video_is_chosen_and_looked_at(page, video):
  browser, server = page
  browser.open(server.url)
  assert _text(browser, "#network") == "tiny · 3 classes · 4 frames of 16 \u00d7 16"
  assert "Up to 0.3 MB and 10:00 min." in _text(browser, "#note")
  browser.choose("#file", video)
  browser.wait("!document.querySelector('#result').hidden")
  assert "jump & run.mp4 · 0:02.0 · 20 frames" in _text(browser, "#about")
  assert _text(browser, ".first") == "jumping"
  rows = _text(browser, ".bars").split("\n")
  shown = [" ".join(row.split()) for row in rows if row.strip()]
  assert " ".join(shown) == (
    "Likeliest classes jumping 62.5 % <b>bold</b> 25.0 % running 12.5 %"
  )
  widths = browser.run(
    "return [...document.querySelectorAll('.bar div')]"
    ".map((x) => x.clientWidth / x.parentElement.clientWidth)"
  )
  np.testing.assert_allclose(widths, [0.625, 0.25, 0.125], atol=0.01)
  loaded = "document.querySelector('#strip img').naturalWidth"
  assert browser.wait(loaded) == 80
  assert _text(browser, "#strip-about") == "where it saw jumping."
  assert _text(browser, "#pictures").split() == ["0:00.3", "0:01.0"]
  assert browser.complaints() == []
  assert list(server.service.folder.iterdir()) == []


def test_the_timeline_is_read_by_keys_and_moves_the_video(page, video):
  browser, server = page
  browser.open(server.url)
  browser.choose("#file", video)
  browser.wait("document.querySelector('.cursor')")
  browser.wait("document.querySelector('video').readyState >= 1")
  marks = browser.run(
    "return [...document.querySelectorAll('.plot svg text')].map((x) => x.textContent)"
  )
  assert marks[:3] == ["0 %", "50 %", "100 %"]
  assert marks[3:5] == ["0:00.0", "0:00.2"]
  spots = browser.run(
    "return [...document.querySelectorAll('.series')].map((x) => x.getAttribute('d'))"
  )
  heights = [[float(spot.split()[1]) for spot in line[1:].split("L")] for line in spots]
  top, base = 8, 240 - 26  # Of 100 % and 0 %.
  np.testing.assert_allclose(
    (base - np.array(heights[::-1])) / (base - top),
    [[0.7, 0.1, 0.2], [0.2, 0.8, 0.2], [0.1, 0.1, 0.6]],
    atol=0.01,
  )
  browser.run("document.querySelector('.plot input').focus()")
  browser.press("\ue014", "\ue014")  # To the right.
  assert browser.run(
    "return document.querySelector('.plot input').getAttribute('aria-valuetext')"
  ) == ("0:01.0 to 0:02.0: jumping 20.0 %, <b>bold</b> 20.0 %, running 60.0 %")
  browser.wait("document.querySelector('video').currentTime == 1.5")
  browser.run("document.querySelector('#pictures button').click()")
  browser.wait("document.querySelector('video').currentTime == 0.25")
  assert "0:00.5 \u2013 0:01.5" in browser.run(
    "return document.querySelector('.numbers').textContent"
  )
  assert browser.complaints() == []


_DROP = """
const [bytes, name] = arguments;
const data = Uint8Array.from(atob(bytes), (x) => x.charCodeAt(0));
const dataTransfer = new DataTransfer();
dataTransfer.items.add(new File([data], name));
for (const type of ["dragenter", "dragover", "drop"]) {
  document.querySelector("#zone").dispatchEvent(new DragEvent(
    type, {dataTransfer, bubbles: true, cancelable: true}));
}
"""


def test_a_video_is_dropped(page, video):
  browser, server = page
  browser.open(server.url)
  content = base64.b64encode(video.read_bytes()).decode()
  browser.run(_DROP, content, "dropped.mp4")
  browser.wait("!document.querySelector('#result').hidden")
  assert "dropped.mp4" in _text(browser, "#about")
  browser.run(_DROP, base64.b64encode(b"no video").decode(), "notes.txt")
  browser.wait("!document.querySelector('#problem').hidden")
  assert browser.run("return document.querySelector('#result').hidden")


@pytest.mark.parametrize(
  ("content", "words"),
  [
    (b"", "bad.mp4 is empty."),
    (bytes(500_000), "bad.mp4 has 0.5 MB; at most 0.3 MB are taken."),
    (b"no video", "bad.mp4: InvalidDataError"),
    (None, "bad.mp4: 25 frames are too many."),
  ],
)
def test_a_bad_file_is_told_of(page, tmp_path, content, words):
  browser, server = page
  browser.open(server.url)
  if content is None:
    content = encode_mp4(make_frames(25), fps=10)
  path = tmp_path / "bad.mp4"
  path.write_bytes(content)
  browser.choose("#file", path)
  browser.wait("!document.querySelector('#problem').hidden")
  assert _text(browser, "#problem").startswith(words)
  assert browser.run("return document.querySelector('#result').hidden")
  assert browser.run("return !document.querySelector('#file').disabled")


def test_keys_reach_the_choice_of_a_file(page):
  browser, server = page
  browser.open(server.url)
  browser.press("\ue004")  # Tab.
  assert browser.run("return document.activeElement.id") == "file"
  outline = "return getComputedStyle(document.querySelector('#zone')).outlineStyle"
  assert browser.run(outline) == "solid"


def test_a_narrow_page_does_not_scroll_sideways(page, video):
  browser, server = page
  browser.resize(500, 800)
  browser.open(server.url)
  browser.choose("#file", video)
  browser.wait("document.querySelector('.cursor')")
  page_width = "return document.documentElement.scrollWidth - innerWidth"
  assert browser.run(page_width) <= 0
  browser.resize(1200, 900)
