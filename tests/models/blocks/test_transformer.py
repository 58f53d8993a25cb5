import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers, ops
from temporal_jax.models.blocks.transformer import TransformerBlock
from temporal_jax.models.slots import Temporal


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


X = _draw(2, 3, 4, 8)


def _init(module, x=X):
  params = module.init(jax.random.key(0), x)
  return jax.tree.map(
    lambda leaf: leaf + 0.1 * _draw(*leaf.shape, seed=leaf.size), params
  )


class _Factor(nn.Module):
  """Multiplies by a number and tells so."""

  value: float

  def __call__(self, x, train=False):
    return self.value * x, {self.name: train}


def _factor(value):
  return lambda name: _Factor(value, name=name)


def _by_hand(params, x, slots=frozenset()):
  """The block's equations; a filled slot multiplies by 0.5."""
  params = params["params"]

  def apply(module, name, x):
    return module.apply({"params": params[name]}, x)

  norm = layers.LayerNorm()
  if "block_input" in slots:
    x = 0.5 * x
  if "attention_branch" in slots:
    x = x + 0.5 * x
  y = apply(norm, "norm1", x)
  if "attention" in slots:
    x = x + 0.5 * y
  else:
    mix = _factor(0.5) if "keys_values" in slots else None
    attend = layers.SelfAttention(2, keys_values=mix)
    x = x + apply(attend, "attention", y)
  if "mlp_input" in slots:
    x = 0.5 * x
  if "mlp_branch" in slots:
    x = x + 0.5 * x
  mlp = layers.Mlp(32, activation=ops.quick_gelu)
  return x + apply(mlp, "mlp", apply(norm, "norm2", x))


def test_empty_slots_change_nothing():
  block = TransformerBlock(2)
  params = _init(block)
  got, aux = jax.jit(block.apply)(params, X)
  assert aux == {}
  np.testing.assert_allclose(got, _by_hand(params, X), rtol=1e-5, atol=1e-5)
  elsewhere = Temporal(
    **{slot: _factor(0.5) for slot in TransformerBlock.SLOTS},
    where=lambda stage, block: block == 1,
  )
  empty = block.clone(temporal=elsewhere.at(0, 0))
  np.testing.assert_array_equal(empty.apply(params, X)[0], block.apply(params, X)[0])


@pytest.mark.parametrize(
  "slots",
  [(slot,) for slot in TransformerBlock.SLOTS]
  + [tuple(set(TransformerBlock.SLOTS) - {"attention"})],
)
@pytest.mark.parametrize("train", [False, True])
def test_slots_are_called_in_their_places(slots, train):
  temporal = Temporal(**{slot: _factor(0.5) for slot in slots})
  temporal.check("TransformerBlock", TransformerBlock.SLOTS)
  params = _init(TransformerBlock(2))
  got, aux = TransformerBlock(2, temporal=temporal).apply(params, X, train)
  np.testing.assert_allclose(got, _by_hand(params, X, set(slots)), rtol=1e-5, atol=1e-5)
  assert aux == {slot: train for slot in slots if slot != "keys_values"}


def test_arguments_arrive():
  block = TransformerBlock(
    4,
    mlp_ratio=2.5,
    activation=nn.relu,
    epsilon=0.1,
    qkv_bias=False,
    temporal=Temporal(keys_values=layers.TemporalShift),
  )
  params = _init(block)
  inner = params["params"]
  assert inner["mlp"]["expand"]["kernel"].shape == (8, 20)
  assert inner["attention"]["qkv"]["kernel"].shape == (8, 3, 4, 2)
  assert set(inner["attention"]["qkv"]) == {"kernel"}
  norm = layers.LayerNorm(epsilon=0.1)
  attend = layers.SelfAttention(4, False, keys_values=layers.TemporalShift)
  y = norm.apply({"params": inner["norm1"]}, X)
  x = X + attend.apply({"params": inner["attention"]}, y)
  y = norm.apply({"params": inner["norm2"]}, x)
  mlp = layers.Mlp(20, activation=nn.relu)
  want = x + mlp.apply({"params": inner["mlp"]}, y)
  np.testing.assert_allclose(block.apply(params, X)[0], want, rtol=1e-5, atol=1e-5)


def test_mask_hides_later_tokens():
  block = TransformerBlock(2)
  params = _init(block)
  changed = X.copy()
  changed[:, :, 3, 0] += 1

  def before(x, **kwargs):
    return block.apply(params, x, **kwargs)[0][:, :, :3]

  mask = np.tri(4, dtype=bool)
  np.testing.assert_allclose(
    before(changed, mask=mask), before(X, mask=mask), rtol=1e-6
  )
  assert not np.allclose(before(changed), before(X), atol=1e-3)


def test_drop_path_drops_whole_clips():
  x = _draw(32, 3, 4, 8)
  block = TransformerBlock(2, drop_path=0.8)
  params = _init(block, x)
  rngs = {"dropout": jax.random.key(0)}
  got, _ = block.apply(params, x, True, rngs=rngs)
  same = np.all(np.asarray(got) == x, axis=(2, 3))  # (B, T)
  np.testing.assert_array_equal(same, same[:, :1].repeat(3, axis=1))
  assert 0 < same[:, 0].sum() < 32
  np.testing.assert_array_equal(
    block.apply(params, x)[0], TransformerBlock(2).apply(params, x)[0]
  )


def test_drop_path_reaches_the_branches_of_slots():
  x = _draw(32, 2, 3, 8)
  branches = Temporal(attention_branch=_factor(1.0), mlp_branch=_factor(1.0))
  block = TransformerBlock(2, drop_path=0.99, temporal=branches)
  params = _init(TransformerBlock(2), x)
  rngs = {"dropout": jax.random.key(0)}
  got, _ = block.apply(params, x, True, rngs=rngs)
  same = np.all(np.asarray(got) == x, axis=(1, 2, 3))
  assert same.mean() > 0.8


def test_dropout_is_that_of_the_mlp():
  block = TransformerBlock(2, dropout=0.5)
  params = _init(block)
  rngs = {"dropout": jax.random.key(0)}
  got, _ = block.apply(params, X, True, rngs=rngs)
  assert not np.allclose(got, block.apply(params, X)[0], atol=1e-3)


def test_divided_attention_is_that_of_timesformer():
  branch = functools.partial(layers.TemporalAttention, 2)
  block = TransformerBlock(2, temporal=Temporal(attention_branch=branch))
  params = _init(block)
  inner = params["params"]
  temporal, _ = layers.TemporalAttention(2).apply(
    {"params": inner["attention_branch"]}, X
  )
  got, _ = block.apply(params, X)
  np.testing.assert_allclose(got, _by_hand(params, X + temporal), rtol=1e-5, atol=1e-5)
  assert np.abs(temporal[:, :, 1:]).min() > 0


def test_joint_attention_fits_its_slot():
  joint = functools.partial(layers.JointAttention, 2)
  block = TransformerBlock(2, temporal=Temporal(attention=joint))
  params = _init(TransformerBlock(2))
  one_frame, _ = block.apply(params, X[:, :1])
  np.testing.assert_allclose(
    one_frame, _by_hand(params, X[:, :1]), rtol=1e-5, atol=1e-5
  )
  got, _ = block.apply(params, X)
  assert not np.allclose(got, _by_hand(params, X), atol=1e-3)


def test_computes_in_its_dtype():
  block = TransformerBlock(2, dtype=jnp.bfloat16)
  x = jnp.asarray(X, jnp.bfloat16)
  with jax.numpy_dtype_promotion("standard"):  # flax's norm mixes dtypes.
    (got, _), params = block.init_with_output(jax.random.key(0), x)
  assert got.dtype == jnp.bfloat16
  assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype(jnp.float32)}
  want, _ = TransformerBlock(2).apply(params, X)
  error = np.linalg.norm(np.asarray(got, np.float32) - want)
  assert error <= 3e-2 * np.linalg.norm(want)


@pytest.mark.slow
def test_arithmetic_follows_attention_in_the_slot_before_the_mlp():
  """ATM's paper has it there; the released networks before the next block."""
  x = _draw(1, 3, 5, 8)
  atm = functools.partial(
    layers.ArithmeticModeling, operations=("difference",), length=3, hidden=4
  )
  block = TransformerBlock(2, temporal=Temporal(mlp_input=atm))
  variables = jax.eval_shape(block.init, jax.random.key(0), x)
  variables = jax.tree.map(
    lambda leaf: np.abs(_draw(*leaf.shape, seed=leaf.size)), variables
  )
  params = variables["params"]

  def apply(module, name, x):
    own = {kind: scopes[name] for kind, scopes in variables.items() if name in scopes}
    return module.apply(own, x)

  norm = layers.LayerNorm()
  attended = x + apply(layers.SelfAttention(2), "attention", apply(norm, "norm1", x))
  moved, _ = apply(atm(), "mlp_input", attended)
  assert np.abs(moved - attended).max() > 0.1
  np.testing.assert_array_equal(moved[:, :, 0], attended[:, :, 0])
  mlp = layers.Mlp(32, activation="quick_gelu")
  want = moved + apply(mlp, "mlp", apply(norm, "norm2", moved))
  got, _ = block.apply(variables, x)
  assert params.keys() == {"norm1", "attention", "mlp_input", "norm2", "mlp"}
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4 * np.abs(want).max())
