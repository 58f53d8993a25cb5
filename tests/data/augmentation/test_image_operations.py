"""Each operation against PIL, at the same magnitudes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from temporal_jax.data.augmentation import image_operations
from temporal_jax.data.augmentation.operation import Clip

FILL = (128, 10, 240)
HEIGHT, WIDTH = 23, 31
# PIL computes AutoContrast's table in float64 and cuts it off, one level below
# where the quotient is whole; and the places that move are float64 there.
# No pixel may differ by more than one level, and few by that.
NEARLY = {"AutoContrast", "Rotate", "ShearX", "ShearY"}
NEARLY |= {"TranslateXRel", "TranslateYRel"}


def make_frames():
  """Noise in part of the range, and a smooth picture."""
  rng = np.random.default_rng(0)
  noise = rng.integers(30, 200, (HEIGHT, WIDTH, 3))
  y, x = np.mgrid[:HEIGHT, :WIDTH]
  smooth = np.stack([8 * x, 10 * y, 120 + 100 * np.sin(x * y / 40)], -1)
  return np.stack([noise, smooth.clip(0, 255)]).astype(np.uint8)


@jax.jit
def run(frames, size, which, amount, cubic):
  clip = Clip(frames, jnp.int32(0), size)
  return image_operations.apply(
    clip, which, amount, fill=image_operations.as_fill(FILL), cubic=cubic
  ).frames


def apply(name, frames, amount, cubic, size=None):
  size = frames.shape[1:3] if size is None else size
  return np.asarray(
    run(
      frames,
      jnp.asarray(size, jnp.float32),
      jnp.int32(image_operations.NAMES.index(name)),
      jnp.float32(amount),
      jnp.asarray(cubic),
    )
  ).astype(int)


def in_pil(name, frame, amount, cubic):
  image = Image.fromarray(frame)
  method = Image.Resampling.BICUBIC if cubic else Image.Resampling.BILINEAR
  if name in ("AutoContrast", "Equalize", "Invert"):
    image = getattr(ImageOps, name.lower())(image)
  elif name == "Posterize":
    image = ImageOps.posterize(image, int(amount))
  elif name == "Solarize":
    image = ImageOps.solarize(image, int(amount))
  elif name == "SolarizeAdd":
    table = [min(255, i + int(amount)) if i < 128 else i for i in range(256)]
    image = image.point(table * 3)
  elif name in ("Color", "Contrast", "Brightness", "Sharpness"):
    image = getattr(ImageEnhance, name)(image).enhance(amount)
  elif name == "Rotate":
    image = image.rotate(amount, method, fillcolor=FILL)
  else:
    matrix = {
      "ShearX": (1, amount, 0, 0, 1, 0),
      "ShearY": (1, 0, 0, amount, 1, 0),
      "TranslateXRel": (1, 0, amount * image.width, 0, 1, 0),
      "TranslateYRel": (1, 0, 0, 0, 1, amount * image.height),
    }[name]
    image = image.transform(
      image.size, Image.Transform.AFFINE, matrix, method, fillcolor=FILL
    )
  return np.asarray(image).astype(int)


def by_level(name, level, sign):
  """Amount of timm's "inc1" for a level."""
  return {
    "Rotate": sign * level / 10 * 30,
    "Posterize": 4 - int(level / 10 * 4),
    "Solarize": 256 - int(level / 10 * 256),
    "SolarizeAdd": int(level / 10 * 110),
    "Color": 1 + sign * level / 10 * 0.9,
    "Contrast": 1 + sign * level / 10 * 0.9,
    "Brightness": 1 + sign * level / 10 * 0.9,
    "Sharpness": 1 + sign * level / 10 * 0.9,
    "ShearX": sign * level / 10 * 0.3,
    "ShearY": sign * level / 10 * 0.3,
    "TranslateXRel": sign * level / 10 * 0.45,
    "TranslateYRel": sign * level / 10 * 0.45,
  }.get(name, 0)


@pytest.mark.parametrize("name", image_operations.NAMES)
def test_matches_pil(name):
  frames = make_frames()
  for level in (0, 3.7, 7, 9):
    for sign in (1, -1):
      amount = by_level(name, level, sign)
      for cubic in (True, False):
        got = apply(name, frames, amount, cubic)
        want = np.stack([in_pil(name, f, amount, cubic) for f in frames])
        apart = np.abs(got - want)
        case = (level, sign, cubic)
        assert apart.max() <= (name in NEARLY), case
        assert (apart > 0).mean() < 0.02, case


@pytest.mark.parametrize("name", ["Equalize", "AutoContrast", "Contrast"])
def test_flat_frames_stay(name):
  flat = np.full((2, HEIGHT, WIDTH, 3), 77, np.uint8)
  want = in_pil(name, flat[0], 1.9, True)
  np.testing.assert_array_equal(apply(name, flat, 1.9, True)[0], want)


def test_levels_mean_what_timm_says():
  for level in (0.0, 1.0, 3.7, 5.0, 7.0, 9.0, 10.0):
    for sign in (1, -1):
      got = image_operations.amounts(
        jnp.float32(level), jnp.float32(sign), increasing=True
      )
      want = [by_level(name, level, sign) for name in image_operations.NAMES]
      np.testing.assert_allclose(got, want + [0], rtol=1e-5, atol=1e-6)


def test_levels_of_the_policy_that_weakens():
  got = image_operations.amounts(jnp.float32(7), jnp.float32(-1), increasing=False)
  got = dict(zip(image_operations.NAMES, np.asarray(got), strict=False))
  assert got["Posterize"] == 2
  assert got["Solarize"] == 179
  for name in ("Color", "Contrast", "Brightness", "Sharpness"):
    assert got[name] == pytest.approx(0.1 + 0.18 * 7)
  assert got["Rotate"] == pytest.approx(-21)


def test_stretched_frames_turn_in_their_true_proportion():
  """Frames of half the width turn as the whole ones, then halved, do."""
  y, x = np.mgrid[:32, :64]
  whole = 128 + 60 * np.sin(x / 9) + 60 * np.cos(y / 7)
  whole = np.repeat(whole[None, ..., None], 3, -1).astype(np.uint8)
  half = whole.reshape(1, 32, 32, 2, 3).mean(3).astype(np.uint8)
  for name, amount in (("Rotate", 20), ("ShearX", 0.3), ("ShearY", 0.2)):
    turned = apply(name, whole, amount, True)[0]
    want = turned.reshape(32, 32, 2, 3).mean(2)
    got = apply(name, half, amount, True, size=(32, 64))[0]
    filled = (got == FILL).all(-1) | (turned[:, ::2] == FILL).all(-1)
    filled |= (turned[:, 1::2] == FILL).all(-1)
    assert filled.mean() < 0.4
    assert np.abs(got - want)[~filled].max() < 12, name
    wrong = apply(name, half, amount, True)[0]  # As if not stretched.
    assert np.abs(wrong - want)[~filled].max() > 24, name


@pytest.mark.parametrize("fill", [256, -1, (1, 2), 0.5, "gray", (1, 2, 300)])
def test_wrong_fill_is_refused(fill):
  with pytest.raises(ValueError, match="fill must be"):
    image_operations.check_fill(fill)
