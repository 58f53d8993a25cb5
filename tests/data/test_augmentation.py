import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import data
from temporal_jax.data import augmentation

NAMES = ("down", "left", "right", "up")
CLIPS = np.random.default_rng(0).integers(0, 256, (16, 3, 6, 6, 3), np.uint8)
LABELS = np.arange(16, dtype=np.int32) % 4


def test_normalize_matches_numpy():
  mean, std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
  got = jax.jit(lambda x: data.normalize(x, mean, std))(CLIPS)
  want = (CLIPS / 255 - np.array(mean)) / np.array(std)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_flip_mirrors_whole_clips_and_swaps_their_labels():
  permutation = data.flipped_labels(NAMES, [("left", "right")])
  clips, labels = augmentation.flip(
    jax.random.key(0), jnp.asarray(CLIPS), jnp.asarray(LABELS), permutation
  )
  flipped = 0
  for before, after, old, new in zip(CLIPS, clips, LABELS, labels, strict=True):
    if np.array_equal(before, after):
      assert new == old
    else:
      np.testing.assert_array_equal(after, before[:, :, ::-1])
      assert new == {0: 0, 1: 2, 2: 1, 3: 3}[int(old)]
      flipped += 1
  assert 3 < flipped < 13


@pytest.mark.parametrize(
  ("pairs", "message"),
  [
    ([("left", "rihgt")], "name \\['rihgt'\\]"),
    ([("left", "right"), ("left", "up")], "twice"),
  ],
)
def test_wrong_pairs_are_refused(pairs, message):
  with pytest.raises(ValueError, match=message):
    data.flipped_labels(NAMES, pairs)


def test_color_jitter_changes_clips_not_frames():
  frame = CLIPS[:, :1]
  still = jnp.asarray(np.repeat(frame, 3, axis=1))
  got = np.asarray(augmentation.jitter_color(jax.random.key(0), still, 0.4))
  assert got.dtype == np.uint8
  np.testing.assert_array_equal(got[:, 0], got[:, 2])
  moved = got.astype(int).mean((1, 2, 3, 4)) - still.mean((1, 2, 3, 4))
  assert moved.std() > 5


def test_augmentation_is_a_function_of_its_key():
  augment = jax.jit(
    data.Augmentation(
      mean=(0.5,) * 3,
      std=(0.5,) * 3,
      flip_labels=(0, 2, 1, 3),
      color_jitter=0.2,
    )
  )
  a, b, c = (augment(jax.random.key(k), CLIPS, LABELS) for k in (0, 0, 1))
  np.testing.assert_array_equal(a[0], b[0])
  assert not np.array_equal(a[0], c[0])
  assert a[0].dtype == jnp.float32
  assert a[0].shape == CLIPS.shape


def test_no_augmentation_is_normalisation():
  plain = data.Augmentation(mean=(0.5,) * 3, std=(0.5,) * 3)
  clip, label = plain(jax.random.key(0), jnp.asarray(CLIPS), LABELS)
  np.testing.assert_array_equal(
    clip, data.normalize(jnp.asarray(CLIPS), (0.5,) * 3, (0.5,) * 3)
  )
  np.testing.assert_array_equal(label, LABELS)
