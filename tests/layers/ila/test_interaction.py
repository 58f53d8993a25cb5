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
  # The paper's two additional convolutions are full ones.
  more = 2 * (9 * 256 * 256 + 3 * 256)
  assert count("deep") == count("separable") + more


def _convolved(x, kernel):
  """A 3 x 3 convolution of (B, P, H, W, C) from its definition."""
  rows, columns = x.shape[2:4]
  x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)))
  return sum(
    x[:, :, i : i + rows, j : j + columns] @ kernel[i, j]
    for i in range(3)
    for j in range(3)
  )


def test_the_deep_interaction_goes_on_where_the_separable_one_ends():
  x = np.random.default_rng(0).standard_normal((1, 2, 4, 4, 6), np.float32)
  layer = PairInteraction(4, "deep")
  variables = jax.jit(layer.init)(KEY, x)
  names = {"params": ["depthwise", "depthwise_norm", "conv1", "norm1"]}
  names["params"] += ["conv2", "norm2"]
  names["batch_stats"] = ["depthwise_norm", "norm1", "norm2"]
  short = {k: {n: variables[k][n] for n in v} for k, v in names.items()}
  want = np.asarray(PairInteraction(4).apply(short, x), np.float64)
  for i in (3, 4):
    conv = jax.tree.map(np.float64, variables["params"][f"conv{i}"])
    want = _convolved(want, conv["kernel"]) + conv["bias"]
    want = np.maximum(want / np.sqrt(1 + 1e-5), 0)
  np.testing.assert_allclose(layer.apply(variables, x), want, rtol=1e-4, atol=1e-6)


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
