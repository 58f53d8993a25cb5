import jax
import numpy as np
import pytest

from temporal_jax import layers, ops
from tests.support.examples import CLIP_TOKENS, layer_example

LAYER_EXAMPLES = {
  "ClassTokenConvolution": layer_example(layers.ClassTokenConvolution, CLIP_TOKENS),
}


@pytest.fixture
def tokens():
  return np.random.default_rng(0).standard_normal((2, 5, 4, 12), np.float32)


@pytest.mark.parametrize("fold_div", [3, 4, 5])
def test_starts_as_the_token_shift(tokens, fold_div):
  module = layers.ClassTokenConvolution(fold_div=fold_div)
  (out, aux), _ = module.init_with_output(jax.random.key(0), tokens)
  want = ops.token_shift(tokens, fold_div=fold_div)
  np.testing.assert_allclose(out, want, rtol=1e-6)
  assert aux == {}


def test_starts_as_it_is_told(tokens):
  identity = layers.ClassTokenConvolution(start="identity")
  (out, _), _ = identity.init_with_output(jax.random.key(0), tokens)
  np.testing.assert_array_equal(out, tokens)
  random = layers.ClassTokenConvolution(taps=5, start="random")
  wide = np.zeros((1, 2, 2, 512), np.float32)
  kernel = np.asarray(random.init(jax.random.key(0), wide)["params"]["kernel"])
  # As torch does: uniform within 1 / sqrt(5), for a variance of 1 / 15.
  assert 0.98 * 5**-0.5 < np.abs(kernel).max() <= 5**-0.5
  np.testing.assert_allclose(kernel.var(axis=1), np.full(5, 1 / 15), rtol=0.2)
  with pytest.raises(ValueError, match="start must be one of"):
    layers.ClassTokenConvolution(start="none").init(jax.random.key(0), tokens)


def test_patches_stay(tokens):
  module = layers.ClassTokenConvolution()
  kernel = jax.random.normal(jax.random.key(0), (3, 12))
  out, _ = module.apply({"params": {"kernel": kernel}}, tokens)
  np.testing.assert_array_equal(out[:, :, 1:], tokens[:, :, 1:])
  assert np.abs(out[:, :, 0] - tokens[:, :, 0]).max() > 0.1


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"taps": 1}, "taps must be an integer of at least 3, got 1"),
    ({"taps": 4}, "taps must be odd and positive, got 4"),
    ({"fold_div": 1}, "fold_div must be an integer of at least 2, got 1"),
  ],
)
def test_rejects_kernels_that_cannot_shift(tokens, options, message):
  with pytest.raises(ValueError, match=message):
    layers.ClassTokenConvolution(**options).init(jax.random.key(0), tokens)


def test_rejects_maps():
  with pytest.raises(ValueError, match=r"\(B, T, N, D\), got shape"):
    layers.ClassTokenConvolution().init(
      jax.random.key(0), np.zeros((1, 2, 3, 3, 4), np.float32)
    )
