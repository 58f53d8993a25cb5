import numpy as np
import pytest
from PIL import Image

from temporal_jax.data.datasets import virtual_camera as vc

SIZE = (300, 420)


def _path(motion, seed=0):
  return vc.sample_path(
    motion,
    np.random.default_rng(seed),
    num_frames=9,
    view=32,
    photograph=SIZE,
  )


def test_there_are_eight_motions():
  assert len(vc.MOTIONS) == 8
  assert set(vc.REVERSAL) | set(vc.REVERSAL.values()) == set(vc.MOTIONS)


@pytest.mark.parametrize(("motion", "reversal"), list(vc.REVERSAL.items()))
def test_reversal_is_the_same_path_backwards(motion, reversal):
  for seed in range(20):
    path, back = _path(motion, seed), _path(reversal, seed).reversed()
    np.testing.assert_array_equal(path.centre, back.centre)
    np.testing.assert_array_equal(path.scale, back.scale)
    np.testing.assert_array_equal(path.angle, back.angle)


@pytest.mark.parametrize("motion", vc.MOTIONS)
def test_camera_does_what_the_motion_says(motion):
  for seed in range(20):
    path = _path(motion, seed)
    tilt = path.angle[0]
    moved = path.centre[-1] - path.centre[0]
    right = moved @ [np.cos(tilt), np.sin(tilt)]
    down = moved @ [-np.sin(tilt), np.cos(tilt)]
    zoomed = np.log(path.scale[0] / path.scale[-1])
    turned = path.angle[-1] - path.angle[0]
    got = {
      "pan right": right > 1,
      "pan left": right < -1,
      "pan down": down > 1,
      "pan up": down < -1,
      "zoom in": zoomed > 0.1,
      "zoom out": zoomed < -0.1,
      "rotate clockwise": turned > 0.1,
      "rotate counter-clockwise": turned < -0.1,
    }
    assert [name for name, true in got.items() if true] == [motion]


@pytest.mark.parametrize("motion", vc.MOTIONS)
def test_between_its_frames_a_path_is_even(motion):
  path = _path(motion)
  same = path.at(np.arange(9))
  np.testing.assert_allclose(same.centre, path.centre)
  np.testing.assert_allclose(same.scale, path.scale)
  half = path.at(np.array([2.5, 0.0, 8.0]))
  np.testing.assert_allclose(half.centre[0], path.centre[2:4].mean(axis=0))
  np.testing.assert_allclose(half.scale[0] ** 2, path.scale[2] * path.scale[3])
  np.testing.assert_allclose(half.angle, [path.angle[2:4].mean(), *path.angle[[0, 8]]])


def test_speeds_are_views_logarithms_and_hundreds_of_degrees():
  def paths(motion):
    path = vc.sample_path(
      motion,
      np.random.default_rng(0),
      num_frames=9,
      view=32,
      photograph=SIZE,
      speeds=(0.02, 0.02),
    )
    return path.at(np.arange(2))

  pan, zoom, turn = map(paths, ("pan right", "zoom in", "rotate clockwise"))
  step = np.linalg.norm(np.diff(pan.centre, axis=0)) / pan.scale[0]
  np.testing.assert_allclose(step, 0.02 * 32)
  np.testing.assert_allclose(np.diff(np.log(zoom.scale)), -0.02)
  np.testing.assert_allclose(np.diff(np.rad2deg(turn.angle)), 2.0)


@pytest.mark.parametrize("motion", vc.MOTIONS)
def test_view_never_leaves_the_photograph(motion):
  for seed in range(50):
    path = _path(motion, seed)
    for corner in ((-16, -16), (-16, 16), (16, -16), (16, 16)):
      cos, sin = np.cos(path.angle), np.sin(path.angle)
      x = path.centre[:, 0] + path.scale * (cos * corner[0] - sin * corner[1])
      y = path.centre[:, 1] + path.scale * (sin * corner[0] + cos * corner[1])
      assert x.min() >= 0
      assert y.min() >= 0
      assert x.max() <= SIZE[1]
      assert y.max() <= SIZE[0]


def test_film_shows_the_part_of_the_photograph_that_the_path_says():
  columns, rows = np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0]))
  pixels = np.stack([columns // 2, rows // 2, 0 * rows], -1).astype(np.uint8)
  path = vc.Path(
    centre=np.array([[100.0, 60.0], [200.0, 150.0]]),
    scale=np.array([1.0, 2.0]),
    angle=np.array([0.0, np.pi / 2]),
  )
  frames = vc.film(Image.fromarray(pixels), path, 32)
  assert frames.shape == (2, 32, 32, 3)
  assert frames.dtype == np.uint8
  # Pixel centres: column 31 of the view lies 15.5 view pixels right of it.
  np.testing.assert_allclose(frames[0, 16, 31, 0], 115.5 / 2, atol=1.5)
  np.testing.assert_allclose(frames[0, 31, 16, 1], 75.5 / 2, atol=1.5)
  # Rolled clockwise by 90 degrees, the view's right is the photograph's down.
  np.testing.assert_allclose(frames[1, 16, 31, 1], (150 + 31) / 2, atol=1.5)
  np.testing.assert_allclose(frames[1, 31, 16, 0], (200 - 31) / 2, atol=1.5)


def test_unknown_motion_is_refused():
  with pytest.raises(ValueError, match="motion must be one of"):
    _path("pan sideways")
