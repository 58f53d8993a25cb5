import functools

import jax
import numpy as np
import pytest

from temporal_jax import layers, models
from temporal_jax.models.backbones.big_little import BigLittleModule, enlarge

torch = pytest.importorskip("torch")
AGGREGATION = models.Temporal(
  branch_input=functools.partial(layers.TemporalAggregation, taps=3)
)


def _run(module, x, train=False):
  variables = module.init(jax.random.key(0), x)
  # Branches start at zero: give their last norms a scale.
  variables = jax.tree.map(
    lambda leaf: leaf + 0.1 * jax.random.normal(jax.random.key(1), leaf.shape),
    variables,
  )
  (out, _), _ = module.apply(variables, x, train, mutable=["batch_stats"])
  return out


@pytest.fixture
def clip():
  rng = np.random.default_rng(0)
  return rng.standard_normal((1, 4, 9, 12, 8), np.float32)


@pytest.mark.slow
def test_both_frames_of_a_pair_hold_its_result(clip):
  out = _run(BigLittleModule(16, 3), clip)
  assert out.shape == (1, 4, 5, 6, 16)
  np.testing.assert_array_equal(out[:, 0], out[:, 1])
  assert np.abs(out[:, 1] - out[:, 2]).max() > 1e-3


def test_without_an_operator_pairs_know_nothing_of_each_other(clip):
  moved = np.roll(clip, 2, axis=1)
  plain, mixed = (
    BigLittleModule(16, 3),
    BigLittleModule(16, 3, temporal=AGGREGATION),
  )
  np.testing.assert_allclose(
    _run(plain, moved), np.roll(_run(plain, clip), 2, axis=1), atol=1e-5
  )
  apart = _run(mixed, moved) - np.roll(_run(mixed, clip), 2, axis=1)
  assert np.abs(apart).max() > 1e-3


def test_stride_one_keeps_the_size(clip):
  assert _run(BigLittleModule(16, 4, stride=1), clip).shape == (1, 4, 9, 12, 16)


@pytest.mark.parametrize("size", [(7, 9), (8, 10), (4, 5), (1, 1)])
def test_nearest_is_torchs(size):
  x = np.random.default_rng(0).standard_normal((2, 4, 5, 3), np.float32)
  want = torch.nn.functional.interpolate(torch.tensor(x).permute(0, 3, 1, 2), size)
  np.testing.assert_array_equal(
    enlarge(x, size, "nearest"), want.permute(0, 2, 3, 1).numpy()
  )


@pytest.mark.parametrize("size", [(8, 10), (7, 9), (4, 5)])
def test_bilinear_is_a_mean_weighted_by_distance(size):
  x = np.random.default_rng(0).standard_normal((2, 4, 5, 3), np.float32)

  def weights(old, new):
    """Row i reads the middle of its place, between the two nearest old ones."""
    places = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(old)))

  rows, columns = weights(4, size[0]), weights(5, size[1])
  want = np.einsum("ih,jw,bhwc->bijc", rows, columns, x.astype(np.float64))
  got = enlarge(x, size, "bilinear")
  assert got.dtype == np.float32
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_the_module_enlarges_as_it_is_told(clip):
  nearest = BigLittleModule(16, 2, alternate=False)
  bilinear = nearest.clone(upsampling="bilinear")
  assert np.abs(_run(nearest, clip) - _run(bilinear, clip)).max() > 1e-3
  with pytest.raises(ValueError, match="upsampling must be one of"):
    _run(nearest.clone(upsampling="cubic"), clip)


def test_odd_frames_are_refused(clip):
  with pytest.raises(ValueError, match=r"odd T in \(1, 3,"):
    BigLittleModule(16, 3).init(jax.random.key(0), clip[:, :3])


def test_one_block_is_refused(clip):
  with pytest.raises(ValueError, match="at least 2, got 1"):
    BigLittleModule(16, 1).init(jax.random.key(0), clip)
