"""Draws of RandAugment and AutoAugment, observed at the operations."""

import collections

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.data.augmentation import image_operations
from temporal_jax.data.augmentation.auto_augment import POLICY, AutoAugment
from temporal_jax.data.augmentation.operation import Clip, Given
from temporal_jax.data.augmentation.rand_augment import RandAugment

GIVEN = Given(8, (0.5,) * 3, (0.5,) * 3, ())
NAMES = (*image_operations.NAMES, None)


@pytest.fixture
def drawn(monkeypatch):
  """Returns the operations (which, amount, cubic) that a policy applies."""

  def note(clip, which, amount, *, fill, cubic):
    row = jnp.stack([x.astype(jnp.float32) for x in (which, amount, cubic)])
    # Frames serve as the notebook: the row of each layer is put below.
    return clip._replace(frames=jnp.concatenate([clip.frames[1:], row[None]]))

  def run(policy, layers, draws):
    monkeypatch.setattr(image_operations, "apply", note)
    clip = Clip(jnp.zeros((layers, 3)), jnp.int32(0), jnp.ones(2))
    keys = jax.random.split(jax.random.key(0), draws)
    rows = jax.jit(jax.vmap(lambda k: policy(k, clip, GIVEN).frames))(keys)
    return np.asarray(rows)

  return run


def test_rand_augment_draws_operations_with_replacement(drawn):
  draws, layers = 1000, 4
  rows = drawn(RandAugment("rand-m7-n4-mstd0.5-inc1"), layers, draws)
  names = [NAMES[int(which)] for which in rows[..., 0].ravel()]
  counts = collections.Counter(names)
  total = draws * layers
  assert abs(counts.pop(None) - total / 2) < 4 * np.sqrt(total / 4)
  assert set(counts) == set(image_operations.NAMES)
  for count in counts.values():
    assert abs(count - total / 30) < 5 * np.sqrt(total / 30)
  assert (rows[..., 2] == 1).all()  # Bicubic.

  amounts = rows[..., 1].ravel()
  degrees = amounts[[name == "Rotate" for name in names]]
  assert 0.3 < (degrees > 0).mean() < 0.7
  levels = np.abs(degrees) / 3
  assert abs(levels.mean() - 7) < 0.2
  assert abs(levels.std() - 0.5) < 0.15
  factors = amounts[[name == "Color" for name in names]]
  assert 0.3 < (factors > 1).mean() < 0.7
  assert abs(np.abs(factors - 1).mean() - 0.63) < 0.03


def test_rand_augment_clips_levels_and_can_be_fixed(drawn):
  rows = drawn(RandAugment("rand-m10-n1-mstd3-inc1"), 1, 800)[:, 0]
  degrees = np.abs(rows[rows[:, 0] == NAMES.index("Rotate"), 1])
  assert degrees.max() == 30
  assert (degrees == 30).mean() > 0.2
  rows = drawn(RandAugment("rand-m9-n1", method="bilinear"), 1, 400)[:, 0]
  of = {name: rows[rows[:, 0] == NAMES.index(name), 1] for name in NAMES[:-1]}
  np.testing.assert_allclose(np.abs(of["Rotate"]), 27)
  np.testing.assert_allclose(of["Color"], 1.72, rtol=1e-5)  # inc0.
  np.testing.assert_array_equal(of["Posterize"], 3)
  assert (rows[:, 2] == 0).all()


def test_auto_augment_draws_pairs_of_the_policy(drawn):
  draws = 3000
  rows = drawn(AutoAugment(), 2, draws)
  # Expected count of each pair of applied operations.
  want = collections.Counter()
  for (a, p, _), (b, q, _) in POLICY:
    for first, share in ((a, p), (None, 1 - p)):
      for second, other in ((b, q), (None, 1 - q)):
        want[first, second] += draws * share * other / len(POLICY)
  got = collections.Counter((NAMES[int(a)], NAMES[int(b)]) for a, b in rows[..., 0])
  assert set(got) <= {pair for pair, count in want.items() if count > 0}
  for pair, count in want.items():
    assert abs(got[pair] - count) <= 5 * np.sqrt(count), pair
  rotated = np.abs(rows[rows[..., 0] == NAMES.index("Rotate"), 1])
  np.testing.assert_allclose(
    np.unique(rotated.round(3)), [0, 6, 15, 21, 24, 27], atol=1e-2
  )
  assert 0.45 < rows[..., 2].mean() < 0.55  # Bicubic or linear.
