import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers, ops
from temporal_jax.models import Temporal
from temporal_jax.models.blocks.transformer import TransformerBlock
from tests.support.examples import CLIP_PATCHES, layer_example

KEY = jax.random.key(0, impl="rbg")  # Compiles faster.

KINDS = ("separable", "dense")

LAYER_EXAMPLES = {
  "LearnableAlignment": layer_example(
    layers.LearnableAlignment, CLIP_PATCHES, features=8
  ),
  "PairAlignment": layer_example(
    layers.PairAlignment, (2, 17, 8), (2, 17, 8), (3, 1, 8), features=8
  ),
}


def _tokens(num_frames=3, grid=(4, 5), width=8, seed=0):
  shape = (2, num_frames, 1 + grid[0] * grid[1], width)
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _layer(**kwargs):
  kwargs = {"grid": (4, 5), "features": 8, **kwargs}
  return layers.LearnableAlignment(**kwargs)


@functools.cache
def _trained(**kwargs):
  """Variables in which nothing is zero, as after training."""
  layer = _layer(**kwargs)
  shapes = jax.eval_shape(layer.init, KEY, _tokens())
  rng = np.random.default_rng(1)

  def draw(path, leaf):
    if path[-1].key == "var":
      return rng.uniform(0.5, 1.5, leaf.shape).astype(np.float32)
    return 0.3 * rng.standard_normal(leaf.shape, np.float32)

  return jax.tree_util.tree_map_with_path(draw, shapes)


def _init(module, x):
  """Returns outputs and variables of a new module."""
  return jax.jit(module.init_with_output)(KEY, x)


@functools.partial(jax.jit, static_argnames=("layer", "train"))
def _train_or_not(layer, variables, x, train):
  return layer.apply(variables, x, train=train, mutable=["batch_stats"])


def _apply(layer, variables, x):
  """Returns branch and aux; tests with one layer and shape share its code."""
  return _train_or_not(layer, variables, x, False)[0]


def _shapes(variables):
  return jax.tree.map(jnp.shape, variables)


@pytest.mark.parametrize("kind", KINDS)
def test_branch_starts_at_zero(kind):
  x, layer = _tokens(), _layer(kind=kind)
  params = jax.jit(layer.init)(KEY, x)["params"]
  for name in ("from_aligned", "from_interactive"):
    assert not any(np.any(p) for p in params[name].values())
  assert not any(np.any(p) for p in params["pairs"]["prediction"]["points"].values())
  assert all(p.dtype == jnp.float32 for p in jax.tree.leaves(params))


def test_block_starts_as_the_block_of_images():
  block = TransformerBlock(2, temporal=Temporal(attention_branch=_layer))
  x = _tokens()
  (got, aux), variables = _init(block, x)
  params = dict(variables["params"])
  del params["attention_branch"]
  want, _ = TransformerBlock(2).apply({"params": params}, x)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
  assert set(aux) == {"alignment_loss", "masks", "points"}
  np.testing.assert_array_equal(aux["points"], 0)


def test_aux_tells_loss_masks_and_points():
  x, variables = _tokens(), _trained()
  _, aux = _apply(_layer(), variables, x)
  assert aux["points"].shape == (2, 2, 2, 2)
  assert np.abs(aux["points"]).max() <= 0.75
  assert np.abs(aux["points"]).max() > 0
  want = ops.alignment_mask(aux["points"], size=(4, 5))
  np.testing.assert_allclose(aux["masks"], want, rtol=1e-6)

  message = x @ variables["params"]["message"]["kernel"]
  message += variables["params"]["message"]["bias"].reshape(1, 1, 1, -1)
  norm = variables["params"]["message_norm"]
  message = layers.LayerNorm().apply({"params": norm}, message)
  cosines = []
  for b in range(2):
    for p in range(2):
      left, right = (
        np.einsum(
          "n,nd->d",
          np.asarray(aux["masks"][b, p, side], np.float64).reshape(-1),
          np.asarray(message[b, p + side, 1:], np.float64),
        )
        for side in (0, 1)
      )
      lengths = np.linalg.norm(left) * np.linalg.norm(right)
      cosines.append(left @ right / lengths)
  np.testing.assert_allclose(
    aux["alignment_loss"], np.mean(1 - np.array(cosines)), rtol=1e-4
  )


def _disturbance(aux):
  """Returns by how much the masks are disturbed, of two possibilities."""
  fits = [
    offset
    for offset in (0.0, 0.1)
    if np.allclose(
      ops.alignment_mask(aux["points"], size=(4, 5), disturbance=offset),
      aux["masks"],
      atol=1e-6,
    )
  ]
  assert len(fits) == 1
  return fits[0]


def test_training_disturbs_masks_and_moves_running_statistics():
  x, variables = _tokens(), _trained()
  layer = _layer(disturbance=0.1)
  (_, aux), state = _train_or_not(layer, variables, x, True)
  assert _disturbance(aux) == 0.1
  old, new = (v["batch_stats"] for v in (variables, state))
  assert all(jax.tree.leaves(jax.tree.map(lambda a, b: np.any(a != b), old, new)))
  _, aux = _apply(_layer(), variables, x)
  assert _disturbance(aux) == 0


def test_disturbance_may_be_asked_for_and_traced():
  x, variables = _tokens(), _trained()

  @jax.jit
  def aux(offset):
    layer = _layer(disturbance=offset, disturbed=True)
    return layer.apply(variables, x)[1]

  assert _disturbance(aux(0.1)) == 0.1
  assert _disturbance(aux(0.0)) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_time_matters(kind):
  x, variables = _tokens(), _trained(kind=kind)
  layer = _layer(kind=kind)
  forward, _ = _apply(layer, variables, x)
  backward, _ = _apply(layer, variables, x[:, ::-1])
  assert not np.allclose(forward, backward[:, ::-1], atol=1e-3)


def test_frames_hear_their_neighbours_and_theirs():
  x, variables = _tokens(5), _trained()
  changed = x.copy()
  changed[:, 0] += 1
  before, _ = _apply(_layer(), variables, x)
  after, _ = _apply(_layer(), variables, changed)
  moved = np.abs(after - before).max(axis=(0, 2, 3)) > 1e-6
  # Its pair reaches frame 1, the temporal convolution one frame more.
  np.testing.assert_array_equal(moved, [1, 1, 1, 0, 0])


def test_one_frame_counts_as_a_still_clip():
  x, variables = _tokens(1), _trained()
  new = jax.eval_shape(_layer().init, KEY, x)
  assert _shapes(new) == _shapes(variables)
  branch, aux = _apply(_layer(), variables, x)
  still, want = _apply(_layer(), variables, np.repeat(x, 2, axis=1))
  assert branch.shape == x.shape
  np.testing.assert_allclose(branch[:, 0], still.mean(axis=1), rtol=1e-5)
  np.testing.assert_allclose(
    aux["alignment_loss"], want["alignment_loss"], rtol=1e-5, atol=1e-6
  )


def test_gradient_reaches_the_points_through_the_loss():
  x = _tokens()
  variables = _trained()

  def loss(params):
    out = _layer().apply({**variables, "params": params}, x)
    return out[1]["alignment_loss"]

  gradient = jax.jit(jax.grad(loss))(variables["params"])
  assert np.abs(gradient["pairs"]["prediction"]["points"]["bias"]).max() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_is_close(kind):
  x, variables = _tokens(), _trained(kind=kind)
  want, _ = _apply(_layer(kind=kind), variables, x)
  got, aux = _apply(_layer(kind=kind), variables, x.astype(jnp.bfloat16))
  assert got.dtype == jnp.bfloat16
  assert aux["masks"].dtype == aux["alignment_loss"].dtype == jnp.float32
  error = np.linalg.norm(got.astype(jnp.float32) - want)
  assert error < 3e-2 * np.linalg.norm(want)


def test_square_grid_is_the_default():
  x, square = _tokens(grid=(5, 5)), layers.LearnableAlignment(features=8)
  (branch, aux), _ = jax.eval_shape(square.init_with_output, KEY, x)
  assert branch.shape == x.shape
  assert aux["masks"].shape == (2, 2, 2, 5, 5)


@pytest.mark.parametrize(
  ("grid", "told", "message"),
  [
    ((3, 5), (3, 5), "at least 4 x 4"),
    ((4, 5), None, "square grid"),
    ((4, 5), (4, 4), r"\(4, 4\) grid"),
  ],
)
def test_rejects_wrong_grids(grid, told, message):
  layer = layers.LearnableAlignment(features=8, grid=told)
  with pytest.raises(ValueError, match=message):
    jax.eval_shape(layer.init, KEY, _tokens(grid=grid))


def test_rejects_wrong_arguments():
  with pytest.raises(ValueError, match=r"must be \(B, T, N, D\)"):
    _layer().init(KEY, np.zeros((2, 21, 8), np.float32))
  with pytest.raises(ValueError, match="kind must be one of"):
    jax.eval_shape(_layer(kind="depth").init, KEY, _tokens())
