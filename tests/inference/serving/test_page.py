import base64
import time

import numpy as np

from tests.support.page_content import (
  DROP,
  TABLE,
  look_at,
  problem,
  text,
)


def test_a_video_is_chosen_and_looked_at(page, video):
  browser, server = page
  browser.open(server.url)
  assert "Up to 0.6 MB and 10:00 min." in text(browser, "#note")
  browser.choose("#file", video)
  browser.wait("!document.querySelector('#result').hidden")
  assert "jump & run.mp4 · 0:02.0 · 20 frames" in text(browser, "#about")
  assert text(browser, ".first") == "jumping"
  rows = text(browser, ".bars").split("\n")
  shown = [" ".join(row.split()) for row in rows if row.strip()]
  assert " ".join(shown) == ("jumping 62.5 % <b>bold</b> 25.0 % running 12.5 %")
  widths = browser.run(
    "return [...document.querySelectorAll('.bar div')]"
    ".map((x) => x.clientWidth / x.parentElement.clientWidth)"
  )
  np.testing.assert_allclose(widths, [0.625, 0.25, 0.125], atol=0.01)
  loaded = "document.querySelector('#strip img').naturalWidth"
  assert browser.wait(loaded) == 80
  assert text(browser, "#strip-about") == "where it saw jumping."
  assert text(browser, "#pictures").split() == ["0:00.3", "0:01.0"]
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
  top, base = 8, 240 - 26  # Rows of 100 % and 0 %.
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


def test_a_video_is_dropped(page, video):
  browser, server = page
  browser.open(server.url)
  content = base64.b64encode(video.read_bytes()).decode()
  browser.run(DROP, content, "dropped.mp4")
  browser.wait("!document.querySelector('#result').hidden")
  assert "dropped.mp4" in text(browser, "#about")
  browser.run(DROP, base64.b64encode(b"no video").decode(), "notes.txt")
  assert problem(browser).startswith("notes.txt: it is damaged, or")


def test_results_are_downloaded(page, video, tmp_path):
  browser, server = page
  browser.download_to(tmp_path)
  browser.open(server.url)
  look_at(browser, video)
  for title in ("Table", "Words"):
    browser.run(
      "[...document.querySelectorAll('#downloads a')]"
      ".find((x) => x.innerText == arguments[0]).click()",
      title,
    )
  files = [tmp_path / "jump & run.csv", tmp_path / "jump & run.srt"]
  deadline = time.monotonic() + 20
  while not all(file.exists() for file in files):
    assert time.monotonic() < deadline
    time.sleep(0.05)
  assert files[0].read_bytes() == TABLE.encode()
  assert files[1].read_text() == "1"
  assert browser.complaints() == []
