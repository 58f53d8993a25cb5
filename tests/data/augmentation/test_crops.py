"""Crops, told by where they put a picture of coordinates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.data.augmentation import crops, sizes
from temporal_jax.data.augmentation.operation import Clip, Given

SIDE = 16
GIVEN = Given(SIDE, (0.5,) * 3, (0.5,) * 3, ())
DRAWS = 1000


def boxes_of(operations, shape, size=None, seed=0):
  """Boxes (N, 4) drawn on frames of coordinates, in pixels of the frames.

  Bilinear interpolation of a ramp is exact, so two pixels tell the box.
  """
  height, width = shape
  y, x = jnp.mgrid[:height, :width].astype(jnp.float32) + 0.5
  frames = jnp.stack([y, x, x], -1)[None]
  size = jnp.asarray(shape if size is None else size, jnp.float32)

  def draw(key):
    clip = Clip(frames, jnp.int32(0), size)
    for step, operation in enumerate(operations):
      clip = operation(jax.random.fold_in(key, step), clip, GIVEN)
    return clip.frames[0]

  keys = jax.random.split(jax.random.key(seed), DRAWS)
  pixels = np.asarray(jax.jit(jax.vmap(draw))(keys), np.float64)
  first, last = SIDE // 4, 3 * SIDE // 4
  rows, columns = pixels[:, :, 0, 0], pixels[:, 0, :, 1]
  starts, lengths = [], []
  for places in (rows, columns):
    step = (places[:, last] - places[:, first]) / (last - first)
    starts.append(places[:, first] - step * (first + 0.5))
    lengths.append(step * SIDE)
  return np.stack(starts + lengths, 1)


def largest_gap(a, b):
  """Kolmogorov-Smirnov distance of two samples."""
  at = np.sort(np.concatenate([a, b]))
  shares = [np.searchsorted(np.sort(x), at, "right") / len(x) for x in (a, b)]
  return np.abs(shares[0] - shares[1]).max()


def assert_alike(got, want):
  """Distances of equal distributions of this size exceed this once in 1e5."""
  n, m = len(got), len(want)
  limit = 2.5 * np.sqrt((n + m) / (n * m))
  assert largest_gap(got, want) < limit


def sized_crop_in_numpy(rng, height, width, *, area, aspect, swap, log, spare):
  for _ in range(10):
    target = rng.uniform(*area) * height * width
    ratio = np.exp(rng.uniform(*np.log(aspect))) if log else rng.uniform(*aspect)
    w = round(np.sqrt(target * ratio))
    h = round(np.sqrt(target / ratio))
    if rng.random() < swap:
      w, h = h, w
    if 0 < w <= width and 0 < h <= height:
      top = rng.integers(0, height - h + 1)
      return top, rng.integers(0, width - w + 1), h, w
  if spare == "random":
    short = min(height, width)
    tops = height * SIDE // short - SIDE + 1
    lefts = width * SIDE // short - SIDE + 1
    top, left = rng.integers(0, tops), rng.integers(0, lefts)
    return top * short / SIDE, left * short / SIDE, short, short
  h, w = height, width
  if width / height < aspect[0]:
    h = round(width / aspect[0])
  elif width / height > aspect[1]:
    w = round(height * aspect[1])
  return (height - h) // 2, (width - w) // 2, h, w


@pytest.mark.parametrize(
  ("options", "shape"),
  [
    ({}, (60, 80)),
    ({"area": (0.45, 0.9), "aspect": (0.9, 1.2)}, (40, 90)),  # Seldom fits.
    (
      {
        "area": (0.3, 1.0),
        "swap": 0.5,
        "log_aspect": False,
        "fallback": "random",
      },
      (90, 40),
    ),
  ],
)
def test_random_sized_crop_is_distributed_as_the_rule(options, shape):
  crop = crops.RandomSizedCrop(antialias=False, **options)
  got = boxes_of([crop], shape)
  rng = np.random.default_rng(1)
  want = np.array(
    [
      sized_crop_in_numpy(
        rng,
        *shape,
        area=crop.area,
        aspect=crop.aspect,
        swap=crop.swap,
        log=crop.log_aspect,
        spare=crop.fallback,
      )
      for _ in range(3 * DRAWS)
    ]
  )
  # Levels differ by float errors: whole pixels are compared.
  got_area, want_area = (np.round(b[:, 2]) * np.round(b[:, 3]) for b in (got, want))
  assert_alike(got_area, want_area)
  for column in range(4):
    assert_alike(got[:, column].round(1) + 0.0, want[:, column].round(1))
  aspects = [np.round(b[:, 3]) / np.round(b[:, 2]) for b in (got, want)]
  assert_alike(*aspects)
  for ours, ruled in ((got_area, want_area), aspects):
    spread = np.ptp(ruled)
    assert abs(ours.min() - ruled.min()) < 0.06 * spread
    assert abs(ours.max() - ruled.max()) < 0.06 * spread
  assert (got[:, :2] > -0.01).all()
  assert (got[:, :2] + got[:, 2:] < np.array(shape) + 0.01).all()


def multi_scale_boxes(height, width, side, positions, gap):
  """All boxes that the rule allows."""
  base = min(height, width)
  lengths = [int(base * scale) for scale in (1, 0.875, 0.75, 0.66)]
  lengths = [side if abs(x - side) < 3 else x for x in lengths]
  grid = [(0, 0), (0, 4), (4, 0), (4, 4), (2, 2)]
  if positions == 13:
    grid += [(0, 2), (4, 2), (2, 0), (2, 4), (1, 1), (3, 1), (1, 3), (3, 3)]
  return {
    (down * ((height - h) // 4), right * ((width - w) // 4), h, w)
    for i, h in enumerate(lengths)
    for j, w in enumerate(lengths)
    if abs(i - j) <= gap
    for down, right in grid
  }


@pytest.mark.parametrize(("positions", "gap"), [(5, 0), (13, 1)])
def test_multi_scale_crop_draws_what_the_rule_allows(positions, gap):
  shape = (24, 37)  # 0.75 and 0.66 of it, 18 and 15, snap to SIDE.
  crop = crops.MultiScaleCrop(positions=positions, gap=gap, antialias=False)
  boxes = boxes_of([crop], shape)
  assert np.abs(boxes - boxes.round()).max() < 1e-2
  drawn = {tuple(box) for box in boxes.round().astype(int).tolist()}
  assert drawn == multi_scale_boxes(*shape, SIDE, positions, gap)


def test_crops_of_stretched_frames_are_drawn_in_true_pixels():
  crop = crops.MultiScaleCrop(positions=5, antialias=False)
  boxes = boxes_of([crop], (48, 37), size=(24, 74)) * (0.5, 2, 0.5, 2)
  drawn = {tuple(box) for box in boxes.round().astype(int).tolist()}
  assert np.abs(boxes - boxes.round()).max() < 2e-2
  assert drawn == multi_scale_boxes(24, 74, SIDE, 5, 1)


@pytest.mark.parametrize("rounding", ["round", "down"])
def test_short_side_jitter_scales_what_is_cropped(rounding):
  jitter = sizes.ShortSideJitter(20, 24, rounding)
  boxes = boxes_of([jitter, crops.RandomCrop(antialias=False)], (30, 45))
  short = 30 * SIDE / boxes[:, 2]
  assert np.abs(short - short.round()).max() < 1e-2
  lengths, counts = np.unique(short.round(), return_counts=True)
  ends = {"round": [20, 21, 22, 23, 24], "down": [20, 21, 22, 23]}[rounding]
  assert lengths.tolist() == ends
  weights = {"round": [1, 2, 2, 2, 1], "down": [1, 1, 1, 1]}[rounding]
  want = DRAWS * np.array(weights) / sum(weights)
  assert (np.abs(counts - want) < 5 * np.sqrt(want)).all()
  # The longer side is in proportion, and all offsets are drawn.
  long = np.floor(short.round() * 1.5)
  np.testing.assert_allclose(boxes[:, 3], 45 * SIDE / long, rtol=1e-3)
  left = boxes[:, 1] * long / 45
  assert np.abs(left - left.round()).max() < 1e-2
  assert (left.round() == 0).any()
  assert (left.round() == long - SIDE).any()


def test_random_crop_is_a_window():
  frames = np.random.default_rng(0).integers(0, 256, (2, 18, 20, 3), np.uint8)
  clip = Clip(jnp.asarray(frames), jnp.int32(0), jnp.asarray((18.0, 20.0)))
  run = jax.jit(lambda k: crops.RandomCrop()(k, clip, GIVEN).frames)
  windows = {
    frames[:, y : y + SIDE, x : x + SIDE].tobytes(): (y, x)
    for y in range(3)
    for x in range(5)
  }
  met = {windows[np.asarray(run(jax.random.key(k))).tobytes()] for k in range(9)}
  assert len(met) > 4


def test_resize_takes_the_whole_frame():
  frames = jnp.full((1, 6, 8, 3), 9, jnp.uint8)
  clip = Clip(frames, jnp.int32(0), jnp.asarray((6.0, 8.0)))
  resize = jax.jit(lambda clip: sizes.Resize(4, 5)(None, clip, GIVEN))
  got = resize(clip)
  assert got.frames.shape == (1, 4, 5, 3)
  assert (np.asarray(got.frames) == 9).all()
  np.testing.assert_array_equal(got.size, (4, 5))


@pytest.mark.parametrize(
  ("make", "message"),
  [
    (lambda: crops.RandomSizedCrop(area=(0.5, 0.1)), "area must be 0 < "),
    (lambda: crops.RandomSizedCrop(area=0.5), "area must be \\(lowest"),
    (lambda: crops.RandomSizedCrop(area=(0.5, 2)), "area must be a number"),
    (lambda: crops.RandomSizedCrop(aspect=(0, 1)), "aspect must be 0 <"),
    (lambda: crops.RandomSizedCrop(swap=2), "swap must be"),
    (lambda: crops.RandomSizedCrop(log_aspect=3), "log_aspect must be"),
    (lambda: crops.RandomSizedCrop(fallback="top"), "fallback must be"),
    (lambda: crops.RandomSizedCrop(size=-1), "size must be"),
    (lambda: crops.RandomCrop(method="nearest"), "method must be one of"),
    (lambda: crops.RandomCrop(antialias="no"), "antialias must be"),
    (lambda: crops.MultiScaleCrop(scales=()), "scales must be"),
    (lambda: crops.MultiScaleCrop(scales=(1.5,)), "scales must be"),
    (lambda: crops.MultiScaleCrop(positions=9), "positions must be one of"),
    (lambda: crops.MultiScaleCrop(gap=-1), "gap must be"),
    (lambda: sizes.ShortSideJitter(9, 8), "high must be"),
    (lambda: sizes.ShortSideJitter(9.5, 10), "low must be"),
    (lambda: sizes.ShortSideJitter(8, 9, "up"), "rounding must be"),
    (lambda: sizes.Resize(height=1.5), "height must be"),
  ],
)
def test_wrong_arguments_are_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make()
