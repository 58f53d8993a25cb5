import colorsys
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageEnhance

from temporal_jax.data.augmentation import color
from temporal_jax.data.augmentation.operation import Clip, Given

GIVEN = Given(8, (0.5,) * 3, (0.5,) * 3, ())
FRAMES = np.random.default_rng(0).integers(0, 256, (2, 6, 7, 3), np.uint8)
NAMES = ("Brightness", "Contrast", "Color")


def shifted_hue(frames, shift):
  """torchvision's adjust_hue, one pixel at a time."""
  out = np.empty(frames.shape)
  for place in np.ndindex(*frames.shape[:-1]):
    h, s, v = colorsys.rgb_to_hsv(*(frames[place] / 255))
    out[place] = colorsys.hsv_to_rgb((h + shift) % 1, s, v)
  return np.round(255 * out).astype(np.uint8)


def in_pil(frames, which, amount):
  if which == 3:
    return shifted_hue(frames, amount)
  enhance = getattr(ImageEnhance, NAMES[which])
  images = [enhance(Image.fromarray(f)).enhance(amount) for f in frames]
  return np.stack([np.asarray(image) for image in images])


@pytest.fixture(scope="module")
def jitter():
  return jax.jit(color.jitter)


@pytest.mark.parametrize("which", range(4))
def test_each_change_matches_pil(jitter, which):
  # Not 0.6, see `blending.blend`.
  for amount in {3: (-0.4, 0.1, 0.5)}.get(which, (0.0, 0.37, 1.4, 2.5)):
    amounts = jnp.asarray((1, 1, 1, 0), jnp.float32).at[which].set(amount)
    got = np.asarray(jitter(FRAMES, jnp.arange(4), amounts)).astype(int)
    apart = np.abs(got - in_pil(FRAMES, which, amount))
    # Hues meet halves of a level by float32 or float64.
    assert apart.max() <= (which == 3)
    assert (apart > 0).mean() < 0.01


def test_changes_follow_each_other_in_the_order_told(jitter):
  amounts = (0.7, 1.6, 0.4, 0.0)  # Hues aside, where rounding adds up.
  results = set()
  for order in itertools.permutations(range(3)):
    want = FRAMES
    for which in order:
      want = in_pil(want, which, amounts[which])
    got = jitter(FRAMES, jnp.asarray((*order, 3)), jnp.asarray(amounts))
    np.testing.assert_array_equal(got, want)
    results.add(want.tobytes())
  assert len(results) > 4


def draw(operation, frames, count):
  clip = Clip(jnp.asarray(frames), jnp.int32(0), jnp.asarray((6.0, 7.0)))
  keys = jax.random.split(jax.random.key(0), count)
  run = jax.jit(jax.vmap(lambda key: operation(key, clip, GIVEN).frames))
  return np.asarray(run(keys)).astype(int)


def test_factors_are_uniform_and_frames_share_them():
  still = np.full((2, 1, 1, 3), 100, np.uint8)
  levels = draw(color.ColorJitter(brightness=0.4, probability=0.75), still, 800)
  np.testing.assert_array_equal(levels[:, 0], levels[:, 1])
  factors = levels[:, 0, 0, 0, 0] / 100
  changed = factors[factors != 1]
  assert 0.7 < len(changed) / len(factors) < 0.8
  assert 0.59 <= changed.min() < 0.62
  assert 1.38 < changed.max() <= 1.4
  counts, _ = np.histogram(changed, 4, (0.6, 1.4))
  assert (np.abs(counts - len(changed) / 4) < 60).all()


def test_frames_may_have_draws_of_their_own():
  still = np.full((3, 1, 1, 3), 100, np.uint8)
  jitter = color.ColorJitter(brightness=0.4, per_frame=True, probability=0.5)
  levels = draw(jitter, still, 40)[:, :, 0, 0, 0]
  changed = (levels != 100).any(1)
  assert 8 < changed.sum() < 32  # Whole clips are left alone,
  assert (np.ptp(levels[changed], 1) > 0).all()  # or all frames are drawn.


def test_gray_is_as_in_pil():
  got = draw(color.Grayscale(0.3), FRAMES, 400)
  gray = [np.asarray(Image.fromarray(f).convert("L")) for f in FRAMES]
  want = np.repeat(np.stack(gray)[..., None], 3, -1)
  is_gray = (got == want).all((1, 2, 3, 4))
  is_same = (got == FRAMES).all((1, 2, 3, 4))
  assert (is_gray ^ is_same).all()
  assert 0.2 < is_gray.mean() < 0.4


@pytest.mark.parametrize(
  ("make", "message"),
  [
    (lambda: color.Grayscale(1.5), "probability must be"),
    (lambda: color.ColorJitter(brightness=-1), "brightness must be"),
    (lambda: color.ColorJitter(contrast="a"), "contrast must be"),
    (lambda: color.ColorJitter(saturation=True), "saturation must be"),
    (lambda: color.ColorJitter(hue=0.6), "hue must be"),
    (lambda: color.ColorJitter(probability=-0.1), "probability must be"),
    (lambda: color.ColorJitter(per_frame=2), "per_frame must be"),
  ],
)
def test_wrong_arguments_are_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make()
