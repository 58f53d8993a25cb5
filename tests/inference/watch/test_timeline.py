import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest

from temporal_jax.inference import Timeline, Window, save_timeline


def _timeline(probabilities, *, expected=None, columns=1000, length=2.0):
  """Windows of some seconds, one every second."""
  count = expected or len(probabilities)
  timeline = Timeline(
    count, probabilities.shape[1], count - 1 + length, columns=columns
  )
  for start, row in enumerate(probabilities):
    timeline.add(Window(start, start + length, row))
  return timeline


def _draw(count, classes, seed=0):
  odds = np.random.default_rng(seed).random((count, classes)) ** 8
  return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


def test_columns_hold_the_mean_of_their_windows():
  probabilities = _draw(2500, 5)
  timeline = _timeline(probabilities, columns=100)
  spans, means = timeline.columns()
  want = probabilities.reshape(100, 25, 5).mean(axis=1)
  np.testing.assert_allclose(means, want, rtol=1e-5)
  # A window of 2 s each second: they meet in the middle of the second shared.
  starts = np.arange(0, 2500, 25) + 0.5
  np.testing.assert_allclose(spans[1:, 0], starts[1:])
  np.testing.assert_allclose(spans[:-1, 1], starts[1:])
  assert (spans[0, 0], spans[-1, 1]) == (0, 2501)
  best = probabilities.argmax(axis=1)
  np.testing.assert_array_equal(timeline.tops, np.bincount(best))


def test_fewer_windows_than_columns_have_one_each():
  probabilities = _draw(7, 3)
  spans, means = _timeline(probabilities, length=0.5).columns()
  np.testing.assert_allclose(means, probabilities)
  np.testing.assert_allclose(spans[:, 1] - spans[:, 0], 0.5)


def test_columns_end_where_the_windows_do():
  probabilities = _draw(30, 3)
  spans, means = _timeline(probabilities, expected=100, columns=10).columns()
  want = probabilities.reshape(3, 10, 3).mean(axis=1)
  np.testing.assert_allclose(means, want, rtol=1e-5)
  assert spans[-1, 1] == 31


def _places(picture, color):
  """Returns the places of a color in a picture, from left to right."""
  near = np.abs(picture[..., :3] - matplotlib.colors.to_rgb(color)) < 0.02
  return np.flatnonzero(near.all(axis=-1).any(axis=0)) / picture.shape[1]


def test_a_class_is_dark_where_it_is_the_most_probable(tmp_path):
  probabilities = np.full((40, 2), [0.8, 0.2], np.float32)
  probabilities[25:] = [0.3, 0.7]
  file = tmp_path / "out.png"
  save_timeline(_timeline(probabilities), ("first", "second"), file)
  picture = matplotlib.image.imread(file)
  first, second = _places(picture, "#4c72b0"), _places(picture, "#dd8452")
  assert first.max() <= second.min() + 0.01
  assert first.max() - first.min() > second.max() - second.min() > 0.2


@pytest.mark.parametrize(("count", "classes"), [(1, 1), (300, 400)])
def test_any_number_of_classes_is_drawn(tmp_path, count, classes):
  names = [f"${i}\\x$ " + "a_long^name " * 4 for i in range(classes)]
  file = tmp_path / "out.png"
  save_timeline(_timeline(_draw(count, classes)), names, file, title="$\\y$.mp4")
  picture = matplotlib.image.imread(file)
  assert picture.shape[1] == 1320
  assert _places(picture, "#4c72b0").size


def test_no_window_is_no_picture(tmp_path):
  with pytest.raises(ValueError, match="no window"):
    save_timeline(Timeline(9, 2, 1.0), ("a", "b"), tmp_path / "out.png")
