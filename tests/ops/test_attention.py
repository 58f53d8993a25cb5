import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from temporal_jax.ops.attention import _native
from temporal_jax.ops.lowering.small_attention import summed_attention
from tests.support.examples import FRAME_HEADS, OperatorExample
from tests.support.loop_attention import loop_attention

# Computed as they lie, and as matrices.
few_or_many = pytest.mark.parametrize("tokens", [5, 18])

OPERATOR_EXAMPLES = {
  "attention": OperatorExample(
    ops.attention, clips=(FRAME_HEADS,) * 3, reverse_only=True
  ),
  "attention of many tokens": OperatorExample(
    ops.attention, clips=((20, 2, 3),) * 3, lowering=True
  ),
  "attention with a mask": OperatorExample(
    lambda q, k, v: ops.attention(
      q, k, v, mask=np.tril(np.ones((4, 4), bool))[None, None, None]
    ),
    clips=(FRAME_HEADS,) * 3,
    lowering=True,
  ),
}


def _draw(*shapes, seed=0):
  rng = np.random.default_rng(seed)
  return [rng.standard_normal(shape, np.float32) for shape in shapes]


@settings(max_examples=10, deadline=None)
@given(
  lead=st.lists(st.integers(1, 3), max_size=3),
  queries=st.sampled_from([1, 2, 5, 17]),
  keys=st.sampled_from([1, 3, 5, 18]),
  heads=st.integers(1, 3),
  width=st.integers(1, 5),
  depth=st.integers(1, 5),
)
def test_matches_loop(lead, queries, keys, heads, width, depth):
  q, k, v = _draw(
    (*lead, queries, heads, width),
    (*lead, keys, heads, width),
    (*lead, keys, heads, depth),
  )
  got = jax.jit(ops.attention)(q, k, v)
  np.testing.assert_allclose(got, loop_attention(q, k, v), rtol=1e-5, atol=1e-5)


@few_or_many
@pytest.mark.parametrize("lead", [(), (3, 1), (3, 2)])
def test_mask_hides_keys(tokens, lead):
  q, k, v = _draw((3, 4, 2, 6), (3, tokens, 2, 6), (3, tokens, 2, 6))
  mask = np.random.default_rng(1).random((*lead, 4, tokens)) < 0.6
  mask[..., 2] = True  # Every query sees something.
  got = ops.attention(q, k, v, mask=mask)
  want = loop_attention(q, k, v, mask=np.broadcast_to(mask, (3, 2, 4, tokens)))
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
  assert not np.allclose(got, ops.attention(q, k, v))


@few_or_many
@pytest.mark.parametrize("scale", [0.0, 0.3, 2.0])
def test_scale_replaces_the_default(tokens, scale):
  q, k, v = _draw((2, 4, 2, 6), (2, tokens, 2, 6), (2, tokens, 2, 6))
  got = ops.attention(q, k, v, scale=scale)
  want = loop_attention(q, k, v, scale=scale)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@few_or_many
@pytest.mark.parametrize("depth", [6, 3])
@pytest.mark.parametrize("lowering", [_native, summed_attention])
def test_other_platforms_agree(tokens, depth, lowering):
  q, k, v = _draw((2, 4, 3, 6), (2, tokens, 3, 6), (2, tokens, 3, depth))
  mask = np.random.default_rng(1).random((2, 3, 4, tokens)) < 0.6
  mask[..., 2] = True
  got = lowering(q, k, v, mask, scale=0.4)
  want = ops.attention(q, k, v, scale=0.4, mask=mask)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@few_or_many
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("order", [1, 2])
def test_gradients_match_jax(tokens, masked, order):
  q, k, v, g = _draw((2, 4, 3, 5), *[(2, tokens, 3, 5)] * 2, (2, 4, 3, 5))
  mask = np.random.default_rng(1).random((2, 3, 4, tokens)) < 0.6
  mask[..., 2] = True

  def gradients(attend):
    def loss(q, k, v):
      return jnp.sum(g * attend(q, k, v, mask=mask if masked else None))

    def of_gradients(q, k, v):
      return sum(jnp.sum(x**2) for x in jax.grad(loss, (0, 1, 2))(q, k, v))

    function = loss if order == 1 else of_gradients
    return jax.jit(jax.grad(function, (0, 1, 2)))(q, k, v)

  got = gradients(ops.attention)
  want = gradients(jax.nn.dot_product_attention)
  for ours, theirs in zip(got, want, strict=True):
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_sums_have_the_gradients_of_matrices():
  q, k, v, g = _draw(*[(2, 4, 3, 5)] * 4)

  def gradients(attend):
    return jax.grad(lambda *x: jnp.sum(g * attend(*x, scale=0.4)), (0, 1, 2))(q, k, v)

  for ours, theirs in zip(
    gradients(summed_attention), gradients(ops.attention), strict=True
  ):
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@few_or_many
def test_jit_and_vmap_change_nothing(tokens):
  q, k, v = _draw((2, 3, 5, 2, 4), *[(2, 3, tokens, 2, 4)] * 2)
  eager = ops.attention(q, k, v)
  jitted = jax.jit(ops.attention)(q, k, v)
  mapped = jax.vmap(jax.vmap(ops.attention))(q, k, v)
  np.testing.assert_allclose(jitted, eager, rtol=1e-6, atol=1e-6)
  np.testing.assert_allclose(mapped, eager, rtol=1e-6, atol=1e-6)


@few_or_many
@pytest.mark.parametrize("factor", [1.0, 30.0])
def test_bfloat16_takes_the_softmax_in_float32(tokens, factor):
  q, k, v = _draw((2, 7, 2, 16), (2, tokens, 2, 16), (2, tokens, 2, 16))
  q, k, v = (jnp.asarray(x, jnp.bfloat16) for x in (factor * q, k, v))
  got = ops.attention(q, k, v)
  assert got.dtype == jnp.bfloat16
  want = loop_attention(*(np.asarray(x, np.float32) for x in (q, k, v)))
  error = np.linalg.norm(np.asarray(got, np.float64) - want)
  assert error <= 3e-2 * np.linalg.norm(want)


@few_or_many
def test_large_scores_do_not_overflow(tokens):
  q, k, v = _draw((1, 3, 1, 4), (1, tokens, 1, 4), (1, tokens, 1, 4))
  got = ops.attention(1e4 * q, k, v)
  np.testing.assert_allclose(got, loop_attention(1e4 * q, k, v), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
  ("q", "k", "v"),
  [
    ((5, 4), (5, 4), (5, 4)),
    ((2, 5, 3, 4), (1, 5, 3, 4), (1, 5, 3, 4)),
    ((2, 5, 3, 4), (2, 5, 3, 6), (2, 5, 3, 6)),
    ((2, 5, 3, 4), (2, 5, 2, 4), (2, 5, 2, 4)),
    ((2, 5, 3, 4), (2, 6, 3, 4), (2, 5, 3, 4)),
  ],
)
def test_rejects_shapes_that_do_not_fit(q, k, v):
  arrays = [np.zeros(shape, np.float32) for shape in (q, k, v)]
  with pytest.raises(ValueError, match=r"q must be .*got shapes"):
    jax.eval_shape(ops.attention, *arrays)


@few_or_many
def test_bfloat16_compiles_where_promotion_is_strict(tokens):
  """Under jit the lowering of other platforms is traced too."""
  drawn = _draw(*[(2, tokens, 2, 4)] * 3)
  q, k, v = (jnp.asarray(x, jnp.bfloat16) for x in drawn)

  def loss(q, k, v):
    return jnp.sum(ops.attention(q, k, v))

  with jax.numpy_dtype_promotion("strict"):
    value, gradients = jax.jit(jax.value_and_grad(loss, (0, 1, 2)))(q, k, v)
  assert value.dtype == jnp.bfloat16
  assert {g.dtype for g in gradients} == {jnp.dtype(jnp.bfloat16)}


@pytest.mark.parametrize("tokens", [4, 20])
def test_a_query_that_may_look_nowhere_gets_the_mean(tokens):
  """On every platform; its gradient is finite."""
  rng = np.random.default_rng(0)
  q, k, v = (rng.standard_normal((1, tokens, 1, 4), np.float32) for _ in range(3))
  mask = np.ones((tokens, tokens), bool)
  mask[1] = False

  def attend(q, k, v):
    return ops.attention(q, k, v, mask=mask)

  out, pull = jax.vjp(attend, q, k, v)
  np.testing.assert_allclose(out[0, 1], v.mean(axis=1)[0], rtol=1e-4, atol=1e-6)
  assert all(np.isfinite(x).all() for x in pull(out))
