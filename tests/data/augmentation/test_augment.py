import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import data

PIXELS = {"mean": (0.4, 0.5, 0.6), "std": (0.2, 0.3, 0.4), "image_size": 8}
CLIPS = np.random.default_rng(0).integers(0, 256, (4, 2, 12, 16, 3), np.uint8)
LABELS = np.arange(4, dtype=np.int32)
RECIPE = "random_crop|flip"


@functools.cache
def augment(recipe=RECIPE, **options):
  return jax.jit(data.Augmentation(recipe, **PIXELS, **options))


@pytest.mark.parametrize(
  "recipe",
  [
    "resize(10, 12)|multi_scale_crop(positions=13)|flip(keep_labels=True)",
    "auto_augment|normalize|short_side_jitter(9, 12)|random_crop|random_erasing",
  ],
)
def test_results_have_the_model_s_shape(recipe):
  augmentation = data.Augmentation(recipe, **PIXELS, repeats=2)
  clip, label = jax.eval_shape(
    augmentation,
    jax.random.key(0),
    CLIPS,
    LABELS,
    jnp.ones((4, 2), jnp.int32),
  )
  assert clip.shape == (8, 2, 8, 8, 3)
  assert clip.dtype == jnp.float32
  assert label.shape == (8,)
  assert label.dtype == jnp.int32


def test_normalize_matches_numpy():
  mean, std = PIXELS["mean"], PIXELS["std"]
  got = jax.jit(lambda x: data.normalize(x, mean, std))(CLIPS)
  want = (CLIPS / 255 - np.array(mean)) / np.array(std)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_no_recipe_is_normalisation():
  plain = data.Augmentation("", **PIXELS)
  square = jnp.asarray(CLIPS[:, :, :8, :8])
  clip, label = plain(jax.random.key(0), square, LABELS)
  want = data.normalize(square, PIXELS["mean"], PIXELS["std"])
  np.testing.assert_array_equal(clip, want)
  np.testing.assert_array_equal(label, LABELS)


def test_same_key_same_clips_whatever_the_batch():
  key = jax.random.key(3)
  whole, _ = augment()(key, CLIPS, LABELS)
  again, _ = augment()(key, CLIPS, LABELS)
  np.testing.assert_array_equal(whole, again)
  part, _ = augment()(key, CLIPS[:3], LABELS[:3])
  np.testing.assert_allclose(part, whole[:3], atol=1e-6)
  other, _ = augment()(jax.random.key(4), CLIPS, LABELS)
  assert not np.allclose(whole, other)


def test_frames_agree_and_clips_differ_without_exchange_of_devices():
  recipe = (
    "rand_augment('rand-m7-n2-mstd0.5-inc1')|color_jitter(0.4, 0.4, 0.2, 0.1)|"
    "random_sized_crop|flip|random_erasing"
  )
  key, labels = jax.random.key(0), np.zeros(16, np.int32)
  still = np.broadcast_to(CLIPS[:1, :1], (16, 3, *CLIPS.shape[2:]))
  mesh = jax.sharding.Mesh(jax.devices()[:2], ("data",))
  whole, split = (
    jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))
    for axes in ((), ("data",))
  )
  compiled = (
    jax.jit(
      data.Augmentation(recipe, **PIXELS),
      in_shardings=(whole, split, split),
      out_shardings=split,
    )
    .lower(key, still, labels)
    .compile()
  )
  for exchange in ("all-gather", "all-reduce", "all-to-all", "permute"):
    assert exchange not in compiled.as_text()
  arguments = jax.device_put((key, still, labels), (whole, split, split))
  clip = np.asarray(compiled(*arguments)[0])
  np.testing.assert_array_equal(clip[:, 1:], clip[:, :1].repeat(2, 1))
  assert len({one.tobytes() for one in clip}) == 16


def test_jit_is_eager():
  augmentation = data.Augmentation("flip|grayscale(0.5)", **PIXELS)
  key, square = jax.random.key(3), jnp.asarray(CLIPS[:, :, :8, :8])
  compiled, _ = jax.jit(augmentation)(key, square, LABELS)
  eager, _ = augmentation(key, square, jnp.asarray(LABELS))
  np.testing.assert_allclose(eager, compiled, atol=1e-6)
  plain = data.normalize(square, PIXELS["mean"], PIXELS["std"])
  assert not np.allclose(eager, plain)


def test_repeats_are_whole_copies_with_keys_of_their_own():
  labels = {"verb": LABELS, "noun": LABELS[::-1].copy()}
  clip, label = augment(repeats=2)(jax.random.key(0), CLIPS, labels)
  assert clip.shape[0] == 8
  np.testing.assert_array_equal(label["verb"], np.repeat(LABELS, 2))
  np.testing.assert_array_equal(label["noun"], np.repeat(LABELS[::-1], 2))
  first, _ = augment()(jax.random.key(0), CLIPS, LABELS)
  np.testing.assert_allclose(clip[::2], first, atol=1e-6)
  same = [np.allclose(a, b) for a, b in zip(clip[::2], clip[1::2], strict=True)]
  assert sum(same) <= 1  # There are 90 ways to crop and flip.


def test_several_labels_of_a_clip_pass():
  several = np.eye(4, dtype=np.float32)
  plain = data.Augmentation("", **PIXELS)
  square = jnp.asarray(CLIPS[:, :, :8, :8])
  _, label = plain(jax.random.key(0), square, several)
  np.testing.assert_array_equal(label, several)


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"image_size": 0}, "image_size must be"),
    ({"repeats": 0}, "repeats must be"),
    ({"std": (1, 0, 1)}, "std positive"),
    ({"mean": (1, 0)}, "must have 3 numbers for 3 channels"),
  ],
)
def test_wrong_arguments_are_refused(options, message):
  with pytest.raises(ValueError, match=message):
    data.Augmentation("", **(PIXELS | options))


@pytest.mark.parametrize(
  ("change", "message"),
  [
    ({"clip": CLIPS.astype(np.float32)}, "uint8, got float32"),
    ({"clip": CLIPS[0]}, "B, T, H, W, 3"),
    ({"clip": CLIPS[..., :1]}, "B, T, H, W, 3"),
    ({"label": LABELS[:3]}, "labels must be of 4 clips"),
    ({"label": {}}, "labels must be of 4 clips"),
    ({"size": np.ones((4, 3), np.int32)}, "sizes must be \\(4, 2\\)"),
    ({}, "makes frames of \\(12, 16\\), the model takes squares of 8"),
  ],
)
def test_wrong_batches_are_refused(change, message):
  batch = {"clip": CLIPS, "label": LABELS, "size": None} | change
  with pytest.raises(ValueError, match=message):
    jax.eval_shape(
      data.Augmentation("flip", **PIXELS), jax.random.key(0), *batch.values()
    )
