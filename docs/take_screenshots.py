"""Takes the pictures of the page that `temporal-jax serve` shows.

python -m docs.take_screenshots runs/camera_motion_events  # docs/serve*.png

The folder is a run of configs/localization/camera_motion_actionformer.py, whose
first test film is looked at. Needs chromium and chromedriver.
"""

import argparse
import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from tests.support.browser import Browser, browsing

FOLDER = pathlib.Path(__file__).parent
FILMS = pathlib.Path("data/camera_motion_events")
_WIDTH = 1040  # Pixels of the pictures.
_MARGIN = 24
_END = "return document.querySelector(arguments[0]).getBoundingClientRect().bottom"


@contextlib.contextmanager
def serving(detector: str) -> Iterator[str]:
  """Serves the bundled network and a detector; yields the page's address."""
  command = [sys.executable, "-m", "temporal_jax", "serve", "camera_motion"]
  with subprocess.Popen(
    [*command, "--localizer", detector, "--port=0"], stdout=subprocess.PIPE, text=True
  ) as process:
    try:
      found = (re.search(r"http://\S+/", line) for line in process.stdout)
      yield next(match[0] for match in found if match)
    finally:
      process.terminate()


def take_picture(browser: Browser, name: str, last: str) -> None:
  """Writes docs/NAME: the page as far as the element `last`, a CSS selector."""
  browser.resize(_WIDTH, 900)
  browser.resize(_WIDTH, round(browser.run(_END, last)) + _MARGIN)
  (FOLDER / name).write_bytes(browser.picture())


def main() -> None:
  """Takes both pictures."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("detector", help="Folder of the run.")
  detector = parser.parse_args().detector
  film = min(FILMS.glob("*/test/*.mp4"))
  with (
    tempfile.TemporaryDirectory() as folder,
    serving(detector) as address,
    browsing(folder) as browser,
  ):
    browser.resize(_WIDTH, 900)
    browser.open(address)
    browser.wait("document.querySelector('#note').textContent")
    take_picture(browser, "serve_empty.png", "#introduction")
    browser.choose("#file", film.absolute())
    browser.wait("document.querySelector('#strip img')?.naturalWidth", seconds=300)
    browser.wait("document.querySelector('video').readyState >= 2")
    take_picture(browser, "serve.png", "#strip")


if __name__ == "__main__":
  main()
