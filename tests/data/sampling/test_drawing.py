import matplotlib.image
import numpy as np
import pytest

from temporal_jax.data.sampling.drawing import Row, draw_sampling


def red_dots(image):
  """The columns of the image in which red dots lie, first and last."""
  red, green, blue = np.moveaxis(image[..., :3], -1, 0)
  columns = np.flatnonzero(((red > 0.7) & (green < 0.3) & (blue < 0.3)).any(0))
  return columns[0], columns[-1]


def test_dots_lie_where_the_frames_are(tmp_path):
  images = []
  for name, rule in (("a", "dense(1)"), ("b", "segments")):
    file = tmp_path / f"{name}.png"
    draw_sampling(file, [Row(rule, total=100, num_frames=4)])
    images.append(matplotlib.image.imread(file))
  # Four frames in the middle, or at 12, 37, 62 and 87 of 100.
  narrow, wide = ((last - first) for first, last in map(red_dots, images))
  width = images[0].shape[1]
  assert narrow < 0.06 * width
  assert 0.55 * width < wide < 0.8 * width


def test_nothing_to_draw_is_refused(tmp_path):
  with pytest.raises(ValueError, match="at least one row to draw"):
    draw_sampling(tmp_path / "a.png", [])
