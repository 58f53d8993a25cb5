import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import data

NAMES = ("down", "left", "right", "up")
CLIPS = np.random.default_rng(0).integers(0, 256, (24, 3, 6, 6, 3), np.uint8)
LABELS = np.arange(24, dtype=np.int32) % 4
PIXELS = {"mean": (0.5,) * 3, "std": (0.5,) * 3, "image_size": 6}
SWAP = data.flipped_labels(NAMES, [("left", "right")])


@pytest.mark.parametrize(
  ("recipe", "swap", "meaning"),
  [
    ("flip", SWAP, {0: 0, 1: 2, 2: 1, 3: 3}),
    ("flip", (), {i: i for i in range(4)}),
    ("flip(keep_labels=True)", (), {i: i for i in range(4)}),
  ],
)
def test_flip_mirrors_whole_clips_and_swaps_their_labels(recipe, swap, meaning):
  augment = data.Augmentation(recipe, **PIXELS, flip_labels=swap)
  clips, labels = jax.jit(augment)(jax.random.key(0), CLIPS, LABELS)
  clips = np.round(np.asarray(clips) * 127.5 + 127.5)
  flipped = 0
  for before, after, old, new in zip(CLIPS, clips, LABELS, labels, strict=True):
    if np.array_equal(before, after):
      assert new == old
    else:
      np.testing.assert_array_equal(after, before[:, :, ::-1])
      assert new == meaning[int(old)]
      flipped += 1
  assert 5 < flipped < 19


@pytest.mark.parametrize(
  ("pairs", "message"),
  [
    ([("left", "rihgt")], "unknown classes \\['rihgt'\\]"),
    ([("left", "right"), ("left", "up")], "twice"),
  ],
)
def test_wrong_pairs_are_refused(pairs, message):
  with pytest.raises(ValueError, match=message):
    data.flipped_labels(NAMES, pairs)


def test_wrong_probability_is_refused():
  with pytest.raises(ValueError, match="flip\\(2\\)': probab"):
    data.Augmentation("flip(2)", **PIXELS)


SOMETHING = (
  "Pulling something from left to right",
  "Pulling something from right to left",
  "Turning the camera left while filming something",
  "Turning the camera right while filming something",
  "Putting something upright on the table",
  "Showing something leftover",
)


def test_flip_of_directed_classes_needs_pairs():
  with pytest.raises(ValueError, match="flip_pairs") as error:
    data.check_flip(SOMETHING, "random_sized_crop|flip", ())
  for name in SOMETHING[:4]:
    assert name in str(error.value)
  for name in SOMETHING[4:]:
    assert name not in str(error.value)


@pytest.mark.parametrize(
  ("names", "recipe", "pairs"),
  [
    (SOMETHING, "flip", (SOMETHING[:2], SOMETHING[2:4])),
    (SOMETHING, "random_sized_crop", ()),
    (SOMETHING, "flip(keep_labels=True)", ()),
    (SOMETHING[4:], "flip", ()),
  ],
)
def test_other_flips_are_fine(names, recipe, pairs):
  data.check_flip(names, recipe, pairs)


def test_labels_to_swap_need_a_flip_and_single_labels():
  with pytest.raises(ValueError, match="no flip that swaps"):
    data.Augmentation("grayscale", **PIXELS, flip_labels=SWAP)
  with pytest.raises(ValueError, match="no flip that swaps"):
    data.Augmentation("flip(keep_labels=True)", **PIXELS, flip_labels=SWAP)
  augment = data.Augmentation("flip", **PIXELS, flip_labels=SWAP)
  for labels in (
    {"verb": jnp.asarray(LABELS), "noun": jnp.asarray(LABELS)},
    jnp.ones((24, 4), jnp.float32),
    jnp.ones(24, jnp.float32),
  ):
    with pytest.raises(ValueError, match="single labels"):
      augment(jax.random.key(0), jnp.asarray(CLIPS), labels)


@pytest.mark.parametrize("recipe", ["flip(1.0)|normalize", "normalize|flip(1.0)"])
@pytest.mark.parametrize("mean", [(0.5,), tuple(np.linspace(0.4, 0.6, 4))])
def test_mirrored_flow_moves_the_other_way(recipe, mean):
  clips = np.random.default_rng(1).integers(0, 256, (2, 3, 6, 6, 4), np.uint8)
  pixels = {"mean": mean, "std": (0.226,), "image_size": 6, "channels": 4}
  augment = data.Augmentation(recipe, **pixels)
  got, _ = jax.jit(augment)(jax.random.key(0), clips, LABELS[:2])
  want = clips[:, :, :, ::-1].astype(np.float32)
  want[..., ::2] = 255 - want[..., ::2]  # x of both pairs; y stays.
  want = (want / 255 - np.asarray(mean, np.float32)) / np.float32(0.226)
  np.testing.assert_allclose(got, want, atol=2e-6)
