import shutil

import pytest

from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.inference.serving.sample import SampleClip
from tests.conftest import make_frames
from tests.support.browser import PROGRAMS, browsing
from tests.support.page_content import LABELS, answer, introduction
from tests.support.page_server import running


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
  if not all(map(shutil.which, PROGRAMS)):
    pytest.skip(f"needs {' and '.join(PROGRAMS)}")
  with browsing(tmp_path_factory.mktemp("browser")) as browser:
    browser.resize(1200, 900)
    yield browser


@pytest.fixture(scope="module")
def page(browser):
  """A browser and the server whose page it looks at."""
  with running(
    answer,
    limits={"max_bytes": 600_000},
    settings=introduction(*LABELS),
    sample=SampleClip(LABELS, 16),
  ) as server:
    yield browser, server


@pytest.fixture
def video(tmp_path):
  path = tmp_path / "jump & run.mp4"
  path.write_bytes(encode_mp4(make_frames(20), fps=10))
  return path
