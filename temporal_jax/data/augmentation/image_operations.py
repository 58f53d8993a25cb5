"""The fifteen operations of RandAugment and AutoAugment, as PIL does them.

Which one a clip gets is known at run time only, and under vmap a switch would
compute all fifteen. They are of three kinds, though, and one of each kind is
computed: a look-up table of 256 levels, made for eight of them from one
histogram; a blend with a gray or a smooth frame; an affine map. The two other
kinds leave the clip as it is.

RandAugment with four operations took 0.22 s a clip of 8 frames of 256 x 320 so,
on two CPU cores, and 2.1 s with a switch of fifteen under vmap. A switch in a
loop over the clips took 0.02 s, but it would have to gather clips that are
split over several devices; this needs no exchange between devices.
"""

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation import affine, blend, level_tables
from temporal_jax.data.augmentation.operation import Clip

NAMES = (
  "AutoContrast",
  "Equalize",
  "Invert",
  "Rotate",
  "Posterize",
  "Solarize",
  "SolarizeAdd",
  "Color",
  "Contrast",
  "Brightness",
  "Sharpness",
  "ShearX",
  "ShearY",
  "TranslateXRel",
  "TranslateYRel",
)
IDENTITY = len(NAMES)  # The place of none of them.


def amounts(level: jax.Array, sign: jax.Array, *, increasing: bool) -> jax.Array:
  """Computes each operation's amount from a level.

  Args:
    level: Scalar in [0, 10].
    sign: 1 or -1, of those that go both ways.
    increasing: Whether more is stronger for all of them ("inc1"), else
      Posterize and Solarize grow weaker and the enhancements go from 0.1 to
      1.9 of the image.

  Returns:
    (16,) float32 in the order of `NAMES`: degrees, shares, factors, bits,
    levels; 0 for those that need none.

  Source: rand_augment.py of whwu95/ATM, after timm/data/auto_augment.py.
  """
  bits = jnp.floor(0.4 * level)
  threshold = jnp.floor(25.6 * level)
  factor = 0.1 + 0.18 * level
  if increasing:
    bits, threshold = 4 - bits, 256 - threshold
    factor = 1 + sign * 0.09 * level
  known = {
    "Rotate": sign * 3 * level,
    "Posterize": bits,
    "Solarize": threshold,
    "SolarizeAdd": jnp.floor(11 * level),
    "ShearX": sign * 0.03 * level,
    "ShearY": sign * 0.03 * level,
    "TranslateXRel": sign * 0.045 * level,
    "TranslateYRel": sign * 0.045 * level,
  }
  known |= dict.fromkeys(("Color", "Contrast", "Brightness", "Sharpness"), factor)
  zero = jnp.zeros_like(level)
  return jnp.stack([known.get(name, zero) for name in NAMES] + [zero])


def apply(
  clip: Clip,
  which: jax.Array,
  amount: jax.Array,
  *,
  fill: jax.Array,
  cubic: jax.Array,
) -> Clip:
  """Applies one operation to all frames of a clip.

  Args:
    clip: Its frames are uint8; they may be stretched.
    which: Place in `NAMES`, or `IDENTITY`; scalar int32.
    amount: See `amounts`; scalar float32.
    fill: (3,), levels where a moved frame does not reach.
    cubic: Whether moved frames are interpolated bicubically, else linearly.

  Returns:
    The changed clip.
  """
  frames = clip.frames
  at = level_tables.places(frames)
  table = level_tables.tables(frames, at, _place(which, level_tables.NAMES), amount)
  frames = table.ravel()[at]

  color, sharpness = (which == NAMES.index(n) for n in ("Color", "Sharpness"))
  dull = jnp.where(color, blend.gray(frames), blend.smooth(frames))
  factor = jnp.where(color | sharpness, amount, 1.0)
  frames = blend.blend(dull, frames, factor)

  matrix = affine.matrix(_place(which, affine.NAMES), amount, clip.size)
  matrix = affine.stretched(matrix, clip.size, frames.shape[1:3])
  frames = affine.transform(frames, matrix, fill=fill, cubic=cubic)
  return clip._replace(frames=frames)


def _place(which: jax.Array, names: tuple[str, ...]) -> jax.Array:
  """Place in `names` of `NAMES[which]`, or their number."""
  known = [names.index(n) if n in names else len(names) for n in NAMES]
  return jnp.asarray(known + [len(names)], jnp.int32)[which]


def check_fill(fill: int | tuple[int, ...]) -> None:
  """Raises ValueError unless `fill` is a level, or one of R, G and B each."""
  levels = fill if isinstance(fill, tuple | list) else (fill,) * 3
  if len(levels) != 3 or not all(
    type(level) is int and 0 <= level <= 255 for level in levels
  ):
    raise ValueError(
      f"fill must be a level in [0, 255] or three of them, got {fill!r}."
    )


def as_fill(fill: int | tuple[int, ...]) -> jax.Array:
  """Returns `fill` as (3,) uint8."""
  return jnp.broadcast_to(jnp.asarray(fill, jnp.uint8), (3,))
