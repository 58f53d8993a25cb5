"""The network that comes with the package, on motions made here."""

import re

import numpy as np
import pytest

from temporal_jax import inference
from temporal_jax.saved_networks import bundled


def _texture(side, seed):
  """Grey blotches of several sizes, (side, side, 3) uint8."""
  rng = np.random.default_rng(seed)
  total = np.zeros((side, side))
  for grain in (2, 4, 8, 16):
    blotches = rng.normal(0, grain**0.5, (side // grain, side // grain))
    total += blotches.repeat(grain, 0).repeat(grain, 1)
  total = 128 + 40 * total / total.std()
  return np.clip(total, 0, 255).astype(np.uint8)[..., None].repeat(3, -1)


@pytest.mark.parametrize("name", bundled.NAMES)
def test_it_tells_where_the_camera_goes(name):
  saved = inference.load_model(name)
  directions = {
    "pan left": (0, -1),
    "pan right": (0, 1),
    "pan up": (-1, 0),
    "pan down": (1, 0),
  }
  clips, labels = [], []
  for seed in range(4):
    picture = _texture(96, seed)
    for label, (down, right) in directions.items():
      corners = [(32 + 2 * t * down, 32 + 2 * t * right) for t in range(8)]
      clips.append([picture[y : y + 32, x : x + 32] for y, x in corners])
      labels.append(label)
  scores = inference.Classifier(saved, batch_size=16)(np.array(clips))
  told = [saved.class_names[best] for best in scores.argmax(axis=1)]
  assert np.mean([a == b for a, b in zip(told, labels, strict=True)]) >= 0.75


def test_a_directory_of_that_name_comes_first(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  (tmp_path / "camera_motion").mkdir()
  with pytest.raises(FileNotFoundError, match=str(tmp_path)):
    inference.load_model("camera_motion")
  with pytest.raises(FileNotFoundError, match="as camera_motion is"):
    inference.load_model("nowhere")


def test_a_name_that_is_near_is_suggested():
  with pytest.raises(FileNotFoundError, match="did you mean 'camera_motion'"):
    inference.load_model("camera_moton")


@pytest.mark.parametrize("name", bundled.NAMES)
def test_no_file_has_the_path_of_the_machine_that_wrote_it(name):
  files = [path for path in bundled.find(name).rglob("*") if path.is_file()]
  assert files
  for path in files:
    found = re.search(rb"(?<![\w.:/])/(tmp|home|root|work|Users)/", path.read_bytes())
    assert not found, path
    assert path.name != "commit_success.txt"  # Orbax writes its path there.
