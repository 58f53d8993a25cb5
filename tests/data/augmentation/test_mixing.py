"""Mixing against loops, from what the mixed clips show of the draws."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.data import Mix

COUNT, SIDE = 6, 10
RNG = np.random.default_rng(0)
CLIPS = RNG.normal(size=(COUNT, 2, SIDE, SIDE + 4, 3)).astype(np.float32)
TARGETS = {
  "verb": RNG.dirichlet(np.ones(5), COUNT).astype(np.float32),
  "noun": RNG.dirichlet(np.ones(3), COUNT).astype(np.float32),
}


@functools.cache
def mixed(draws=1, **options):
  """Results of several keys: clips (draws, B, ...) and targets."""
  mix = Mix(**options)
  keys = jax.random.split(jax.random.key(1), draws)
  run = jax.jit(jax.vmap(mix, in_axes=(0, None, None)))
  return jax.tree.map(np.asarray, run(keys, CLIPS, TARGETS))


def read_mixup(clip, own, partner):
  """The clip's share, from one value, and the clip that it makes."""
  apart = np.abs(own - partner)
  place = np.unravel_index(apart.argmax(), apart.shape)
  lam = (clip[place] - partner[place]) / (own[place] - partner[place])
  return lam, lam * own + (1 - lam) * partner


def read_cutmix(clip, own, partner):
  """The rest of the clip, and the clip that its box makes."""
  gone = (clip != own).any((0, 3))
  made = own.copy()
  if gone.any():
    rows, columns = np.flatnonzero(gone.any(1)), np.flatnonzero(gone.any(0))
    box = (slice(None), slice(rows[0], rows[-1] + 1))
    box += (slice(columns[0], columns[-1] + 1),)
    made[box] = partner[box]
  return 1 - gone.mean(), made


def assert_mixed(clips, targets, partners, read):
  """Checks one batch; returns the share of each clip."""
  shares = []
  for i, j in enumerate(partners):
    lam, want = (1.0, CLIPS[i]) if i == j else read(clips[i], CLIPS[i], CLIPS[j])
    np.testing.assert_allclose(clips[i], want, atol=1e-5)
    for name, values in TARGETS.items():
      want = lam * values[i] + (1 - lam) * values[j]
      np.testing.assert_allclose(targets[name][i], want, atol=1e-5)
    shares.append(lam)
  return np.array(shares)


REVERSED = np.arange(COUNT)[::-1]
BATCH = {"mixup": {"mixup_alpha": 0.8}, "cutmix": {"cutmix_alpha": 1.0}}
READ = {"mixup": read_mixup, "cutmix": read_cutmix}
PAIRS = {
  "mixup_alpha": 0.8,
  "cutmix_alpha": 1.0,
  "probability": 0.6,
  "switch_probability": 0.25,
  "mode": "pair",
}


@pytest.mark.parametrize("kind", BATCH)
def test_a_batch_is_mixed_with_itself_reversed(kind):
  clips, targets = mixed(600, **BATCH[kind])
  met = []
  for step in range(20):
    step_targets = {name: values[step] for name, values in targets.items()}
    shares = assert_mixed(clips[step], step_targets, REVERSED, READ[kind])
    np.testing.assert_allclose(shares, shares[0], atol=1e-4)
    met.append(shares[0])
  assert np.std(met) > 0.1


def test_pairs_have_draws_of_their_own():
  clips, targets = mixed(300, **PAIRS)

  def read(clip, own, partner):
    lam, made = read_cutmix(clip, own, partner)
    if np.allclose(made, clip, atol=1e-5):
      return lam, made
    return read_mixup(clip, own, partner)

  apart = []
  for step in range(10):
    step_targets = {name: values[step] for name, values in targets.items()}
    shares = assert_mixed(clips[step], step_targets, REVERSED, read)
    np.testing.assert_allclose(shares, shares[::-1], atol=1e-4)
    apart.append(np.ptp(shares[:3]))
  assert np.median(apart) > 0.05


def test_partners_may_be_a_random_permutation():
  clips, targets = mixed(8, mixup_alpha=0.4, partner="random")
  met = set()
  for step in range(8):
    # Each mixed clip lies between two clips: those that explain it best.
    partners = []
    for i, clip in enumerate(clips[step]):
      errors = [
        0.0
        if np.allclose(clip, CLIPS[i], atol=1e-5) and i == j
        else np.inf
        if i == j
        else np.abs(read_mixup(clip, CLIPS[i], CLIPS[j])[1] - clip).max()
        for j in range(COUNT)
      ]
      partners.append(int(np.argmin(errors)))
    assert sorted(partners) == list(range(COUNT))
    step_targets = {name: values[step] for name, values in targets.items()}
    assert_mixed(clips[step], step_targets, partners, read_mixup)
    met.add(tuple(partners))
  assert len(met) > 4


def test_cutmix_boxes_are_distributed_as_the_rule():
  draws, (height, width) = 600, CLIPS.shape[2:4]
  clips, _ = mixed(draws, **BATCH["cutmix"])
  got = 1 - (clips[:, 0] != CLIPS[0]).any((1, 4)).mean((1, 2))
  rng = np.random.default_rng(2)
  want = []
  for _ in range(4 * draws):
    ratio = np.sqrt(1 - rng.beta(1.0, 1.0))
    sides = []
    for side in (height, width):
      center, half = rng.integers(side), int(side * ratio) // 2
      ends = np.clip([center - half, center + half], 0, side)
      sides.append(ends[1] - ends[0])
    want.append(1 - sides[0] * sides[1] / (height * width))
  at = np.linspace(0, 1, 40)
  shares = [(np.asarray(x)[:, None] <= at).mean(0) for x in (got, want)]
  assert np.abs(shares[0] - shares[1]).max() < 0.07


def test_probabilities_of_mixing_and_of_cutmix():
  clips, _ = mixed(300, **PAIRS)
  kept = (clips == CLIPS).all(-1).mean((2, 3, 4))[:, : COUNT // 2].ravel()
  untouched, mixup = (kept == 1).mean(), (kept == 0).mean()
  # Some boxes are empty, some cover all; Beta draws of exactly 1 are rare.
  assert 0.35 < untouched < 0.47
  assert 0.40 < mixup < 0.51
  assert 0.10 < 1 - untouched - mixup < 0.19


def test_shares_are_of_the_beta_distribution():
  _, targets = mixed(600, **BATCH["mixup"])
  own, other = TARGETS["verb"][0, 0], TARGETS["verb"][-1, 0]
  lam = (targets["verb"][:, 0, 0] - other) / (own - other)
  assert abs(lam.mean() - 0.5) < 0.04
  assert abs(lam.var() - 1 / (4 * (2 * 0.8 + 1))) < 0.012


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({}, "nothing to mix"),
    ({"mixup_alpha": -1}, "mixup_alpha must be"),
    ({"cutmix_alpha": "a"}, "cutmix_alpha must be"),
    ({"mixup_alpha": 1, "probability": 1.5}, "probability must be"),
    ({"mixup_alpha": 1, "switch_probability": -1}, "switch_probability must"),
    ({"mixup_alpha": 1, "mode": "elem"}, "mode must be one of"),
    ({"mixup_alpha": 1, "partner": "next"}, "partner must be one of"),
  ],
)
def test_wrong_arguments_are_refused(options, message):
  with pytest.raises(ValueError, match=message):
    Mix(**options)


@pytest.mark.parametrize(
  ("clip", "target", "message"),
  [
    (CLIPS.astype(np.uint8), TARGETS, "clips to mix must be floating"),
    (CLIPS[0], TARGETS, "clips to mix must be"),
    (CLIPS, np.arange(COUNT), "targets must be floating point \\(6, L\\)"),
    (CLIPS, TARGETS["verb"][:2], "targets must be"),
    (CLIPS, {"verb": np.ones((COUNT, 2), np.int32)}, "targets must be"),
  ],
)
def test_wrong_batches_are_refused(clip, target, message):
  with pytest.raises(ValueError, match=message):
    jax.eval_shape(Mix(mixup_alpha=1.0), jax.random.key(0), clip, target)


def test_bfloat16_stays():
  clip, _ = jax.eval_shape(
    Mix(mixup_alpha=1.0), jax.random.key(0), CLIPS.astype(jnp.bfloat16), TARGETS
  )
  assert clip.dtype == jnp.bfloat16
