import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.models.blocks.text_transformer import TextTransformer

KEY = jax.random.key(0, impl="rbg")  # Compiles faster.
TEXTS = np.array([[7, 3, 9, 0, 0], [7, 9, 4, 4, 4]])  # 9 ends a text.


def _model(**kwargs):
  return TextTransformer(6, 16, 1, 2, vocabulary=10, context=5, **kwargs)


def test_what_follows_the_end_does_not_matter_but_what_precedes_does():
  model = _model()
  got, variables = jax.jit(model.init_with_output)(KEY, TEXTS)
  apply = jax.jit(model.apply)
  followed = apply(variables, np.where(TEXTS == 4, 1, TEXTS))
  np.testing.assert_allclose(followed, got, rtol=1e-5, atol=1e-6)
  short = apply(variables, TEXTS[:, :3])
  np.testing.assert_allclose(short, got, rtol=1e-4, atol=1e-5)
  preceded = apply(variables, np.where(TEXTS == 7, 5, TEXTS))
  assert (np.abs(preceded - got).max(axis=1) > 1e-3).all()


def test_bfloat16_is_close():
  want, variables = jax.jit(_model().init_with_output)(KEY, TEXTS)
  got = jax.jit(_model(dtype=jnp.bfloat16).apply)(variables, TEXTS)
  assert got.dtype == jnp.float32
  assert np.linalg.norm(got - want) < 3e-2 * np.linalg.norm(want)


@pytest.mark.parametrize(
  "tokens",
  [np.zeros((1, 6), int), np.zeros(5, int), np.zeros((1, 5), np.float32)],
)
def test_rejects_wrong_tokens(tokens):
  with pytest.raises(ValueError, match=r"tokens must be integers \(L, N\)"):
    _model().init(KEY, tokens)
