import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.layers.ila.interaction import PairInteraction, PointPrediction

KEY = jax.random.key(0, impl="rbg")  # Compiles faster.


def test_dense_interaction_is_the_larger():
  x = jnp.zeros((1, 1, 4, 4, 2 * 768))

  def count(kind):
    init = PairInteraction(256, kind).init
    params = jax.eval_shape(init, KEY, x)["params"]
    return sum(p.size for p in jax.tree.leaves(params))

  # Depthwise, 1 x 1 and 3 x 3 kernels; the norms' scales and biases; biases.
  kernels = 9 * 1536 + 1536 * 256 + 9 * 256 * 256
  assert count("separable") == kernels + 3 * (1536 + 256 + 256)
  kernels = 9 * 1536 * 256 + 9 * 256 * 256
  assert count("dense") == kernels + 3 * (256 + 256)


def test_kernels_start_within_the_bounds_of_torch():
  x = jnp.zeros((1, 1, 4, 4, 64))
  interaction = jax.jit(PairInteraction(32).init)(KEY, x)["params"]
  x = jnp.zeros((1, 1, 4, 4, 32))
  prediction = jax.jit(PointPrediction(64).init)(KEY, x)["params"]
  for params, fan_in in (
    (interaction["depthwise"], 9),
    (interaction["conv1"], 64),
    (interaction["conv2"], 9 * 32),
    (prediction["conv1"], 9 * 32),
    (prediction["hidden"], 32),
  ):
    bound, kernel = fan_in**-0.5, np.abs(params["kernel"])
    assert 0.95 * bound < kernel.max() <= bound
    np.testing.assert_allclose(kernel.mean(), bound / 2, rtol=0.1)


def test_points_treat_the_two_halves_apart():
  """The grouped layers mix no channel of one group with one of the other."""
  x = np.random.default_rng(0).standard_normal((1, 2, 4, 4, 6), np.float32)
  layer = PointPrediction(8)
  variables = jax.jit(layer.init)(KEY, x)
  params = variables["params"]
  assert params["hidden"]["kernel"].shape == (2, 4, 2)
  assert params["points"]["kernel"].shape == (2, 2, 2)
  params["points"]["kernel"] += 1
  apply = jax.jit(layer.apply)
  before = apply(variables, x)
  params["hidden"]["bias"] += np.array([[0.0], [1.0]], np.float32)
  after = apply(variables, x)
  np.testing.assert_array_equal(before[:, :, 0], after[:, :, 0])
  assert not np.allclose(before[:, :, 1], after[:, :, 1])
