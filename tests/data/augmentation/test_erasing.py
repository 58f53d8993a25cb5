import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.data.augmentation.erasing import RandomErasing
from temporal_jax.data.augmentation.operation import Clip, Given

GIVEN = Given(8, (0.5,) * 3, (0.5,) * 3, ())


def test_one_box_is_erased_in_all_frames():
  height, width, draws = 40, 50, 600
  frames = jnp.ones((2, height, width, 3))
  clip = Clip(frames, jnp.int32(0), jnp.asarray((40.0, 50.0)))
  erase = RandomErasing(0.5)
  run = jax.jit(jax.vmap(lambda key: erase(key, clip, GIVEN).frames))
  got = np.asarray(run(jax.random.split(jax.random.key(0), draws)))
  sides, whole = [], 0
  for frames in got:
    assert (frames == frames[:1, :, :, :1]).all()  # One for frames, channels.
    gone = frames[0, :, :, 0] == 0
    if not gone.any():
      whole += 1
      continue
    rows, columns = np.flatnonzero(gone.any(1)), np.flatnonzero(gone.any(0))
    assert gone[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert gone.sum() == len(rows) * len(columns)
    sides.append((len(rows), len(columns)))
  assert 0.42 < whole / draws < 0.58
  h, w = np.array(sides, float).T
  area, aspect = h * w / (height * width), w / h
  assert 0.015 < area.min() < 0.03
  assert 0.3 < area.max() < 0.36
  assert 0.25 < aspect.min() < 0.4
  assert 2.5 < aspect.max() < 4
  assert 0.35 < (aspect < 1).mean() < 0.65  # Uniform in the logarithm.


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"probability": 2}, "probability must be"),
    ({"area": (0, 0.3)}, "area must be 0 <"),
    ({"area": (0.1, 1.3)}, "area must be a number"),
    ({"aspect": (2, 1)}, "aspect must be 0 <"),
  ],
)
def test_wrong_arguments_are_refused(options, message):
  with pytest.raises(ValueError, match=message):
    RandomErasing(**options)
