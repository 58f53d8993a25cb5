import matplotlib.image
import numpy as np
import pytest

from temporal_jax.data.augmentation.clip_sheet import draw_clips

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.2, 0.2)


def test_a_sheet_shows_each_frame_in_its_colours(tmp_path):
  levels = np.linspace(0.1, 0.9, 2 * 4).reshape(2, 4, 1, 1, 1)
  clips = (np.ones((2, 4, 8, 8, 3)) * levels - MEAN) / STD
  file = tmp_path / "sheet.png"
  draw_clips(file, clips, mean=MEAN, std=STD, titles=("one", "two"))
  image = matplotlib.image.imread(file)[..., :3]
  for level in levels.ravel():
    area = (np.abs(image - level).max(-1) < 0.005).sum()
    assert area > 100 * 100, level


@pytest.mark.parametrize(
  ("clips", "titles", "message"),
  [
    (np.zeros((2, 4, 8, 8, 3), np.uint8), ("a", "b"), "floating point"),
    (np.zeros((4, 8, 8, 3)), ("a",) * 4, "N, T, H, W, C"),
    (np.zeros((2, 4, 8, 8, 3)), ("a",), "1 titles were given for 2 clips"),
    (np.zeros((0, 4, 8, 8, 3)), (), "0 titles were given for 0 clips"),
  ],
)
def test_wrong_arguments_are_refused(tmp_path, clips, titles, message):
  with pytest.raises(ValueError, match=message):
    draw_clips(tmp_path / "a.png", clips, mean=MEAN, std=STD, titles=titles)
