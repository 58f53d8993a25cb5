import base64

import pytest

from temporal_jax.data.video.encoding import encode_mp4
from tests.conftest import make_frames
from tests.support.page_content import (
  DROP,
  HELD,
  look_at,
  problem,
  text,
  write_other,
)

_KEPT = "The answer below is still that for jump & run.mp4."


@pytest.mark.parametrize(
  ("content", "words"),
  [
    (b"", "bad.mp4: the file is empty."),
    (bytes(700_000), "bad.mp4: the file has 0.7 MB; at most 0.6 MB are taken."),
    (b"no video", "bad.mp4: it is damaged, or in no format that"),
    (None, "bad.mp4: 25 frames are too many."),
  ],
)
def test_a_bad_file_is_named_and_the_last_answer_kept(
  page, video, tmp_path, content, words
):
  browser, server = page
  if content is None:
    content = encode_mp4(make_frames(25), fps=10)
  path = tmp_path / "bad.mp4"
  path.write_bytes(content)
  browser.open(server.url)
  browser.choose("#file", path)
  first = problem(browser)
  assert first.startswith(words)
  assert _KEPT not in first
  assert browser.run("return document.querySelector('#result').hidden")
  assert browser.run("return !document.querySelector('#sample').hidden")
  look_at(browser, video)
  assert browser.run("return document.querySelector('#problem').hidden")
  before = text(browser, "#result")
  browser.choose("#file", path)
  assert problem(browser) == f"{first} {_KEPT}"
  _assert_kept(browser, before)
  above = "document.querySelector('#problem').getBoundingClientRect().bottom"
  assert browser.run(f"return {above}") <= browser.run(
    "return document.querySelector('#result').getBoundingClientRect().top"
  )
  look_at(browser, write_other(tmp_path))  # A good one takes its place.
  assert browser.run("return document.querySelector('#problem').hidden")
  assert "jump & run" not in text(browser, "#result")


def _assert_kept(browser, before):
  assert text(browser, "#result") == before
  assert browser.run(
    "return document.querySelector('#zone').classList.contains('compact')"
  )
  assert browser.run("return !document.querySelector('#file').disabled")
  browser.run("document.querySelector('#pictures button:last-child').click()")
  browser.wait("document.querySelector('video').currentTime == 0.25")


def test_what_is_cancelled_is_named_and_the_last_answer_kept(page, video, tmp_path):
  browser, server = page
  browser.open(server.url)
  look_at(browser, video)
  before = text(browser, "#result")
  HELD.clear()
  try:
    browser.choose("#file", write_other(tmp_path, 19))
    browser.wait("document.querySelector('#doing').innerText.startsWith('Loo')")
    assert text(browser, "#result") == before
    browser.run(DROP, base64.b64encode(b"1").decode(), "third.mp4")
    assert problem(browser) == ("third.mp4: not sent while other.mp4 is looked at.")
    browser.run("document.querySelector('#cancel').click()")
    browser.wait("document.querySelector('#progress').hidden")
  finally:
    HELD.set()
  assert problem(browser) == f"other.mp4: cancelled. {_KEPT}"
  _assert_kept(browser, before)


def test_without_a_server_the_last_answer_stays(page, video, tmp_path):
  browser, server = page
  browser.open(server.url)
  look_at(browser, video)
  before = text(browser, "#result")
  browser.connect(False)
  try:
    browser.choose("#file", write_other(tmp_path))
    assert problem(browser) == (
      f"other.mp4: the server did not answer. Is it still running? {_KEPT}"
    )
  finally:
    browser.connect(True)
  _assert_kept(browser, before)


def test_a_file_that_cannot_be_read_is_named(page, tmp_path):
  browser, server = page
  browser.open(server.url)
  HELD.clear()
  path = write_other(tmp_path)
  browser.run(_KEEP)
  browser.choose("#file", path)
  browser.wait("window.kept")
  path.unlink()
  browser.run("choose([window.kept])")
  assert problem(browser).startswith("other.mp4: the file cannot be read;")
  HELD.set()


_KEEP = """
document.querySelector("#file").onchange = (event) => {
  window.kept = event.target.files[0];
};
"""


def test_a_sample_that_is_not_there_is_named(page, monkeypatch):
  browser, server = page
  browser.open(server.url)
  name = server.service.sample.name
  monkeypatch.setattr(server.service, "sample", None)
  browser.run("document.querySelector('#try').click()")
  assert problem(browser) == f"{name}: there is no sample clip."
