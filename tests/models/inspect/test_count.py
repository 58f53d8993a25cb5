import jax
import jax.numpy as jnp
import pytest

import temporal_jax
from temporal_jax import ops
from temporal_jax.models.inspect import count


def _shape(*shape):
  return jax.ShapeDtypeStruct(shape, jnp.float32)


def test_products_and_convolutions_are_counted():
  assert count.multiply_adds(jnp.matmul, _shape(3, 4), _shape(4, 5)) == 60

  def conv(x, kernel):
    return ops.convolution_2d(x, kernel, stride=2, padding=1)

  frames, kernel = _shape(2, 8, 8, 3), _shape(3, 3, 3, 5)
  assert count.multiply_adds(conv, frames, kernel) == 2 * 4 * 4 * 9 * 3 * 5


def test_lowerings_do_not_count_but_what_is_computed():
  """On CPU these are Winograd's transforms, and sums of shifted products."""
  x, dense, depthwise = _shape(4, 16, 16, 64), _shape(3, 3, 64, 64), 9 * 64

  def conv(x, kernel):
    return ops.convolution_2d(x, kernel, padding=1)

  def by_channel(x, kernel):
    return ops.depthwise_convolution_2d(x, kernel, padding=1)

  places = 4 * 16 * 16
  assert count.multiply_adds(conv, x, dense) == places * 9 * 64 * 64
  assert count.multiply_adds(by_channel, x, _shape(3, 3, 64)) == places * depthwise


def test_loops_count_every_turn():
  def loop(x, matrix):
    return jax.lax.map(lambda row: row @ matrix, x)

  assert count.multiply_adds(loop, _shape(7, 4), _shape(4, 5)) == 7 * 20


@pytest.mark.parametrize(
  ("name", "millions", "billions"),
  [("resnet18", 11.69, 1.81), ("resnet50", 25.56, 4.09)],
)
def test_networks_cost_what_their_papers_say(name, millions, billions):
  """One frame of 224 x 224 and 1000 classes."""
  model = temporal_jax.create_model(name, num_classes=1000)
  clip = _shape(1, 1, 224, 224, 3)
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  assert count.parameters(variables) / 1e6 == pytest.approx(millions, 1e-3)
  found = count.multiply_adds(model.apply, variables, clip)
  assert found / 1e9 == pytest.approx(billions, 5e-3)


@pytest.mark.parametrize("columns", [2, 50])
def test_of_what_depends_on_the_platform_the_default_counts(columns):
  x = jnp.ones((3, 5))

  def product(x):
    return jax.lax.platform_dependent(
      x,
      cpu=lambda x: (x @ jnp.ones((5, columns))).sum(),
      default=lambda x: (x @ jnp.ones((5, 7))).sum(),
    )

  assert count.multiply_adds(product, x) == 3 * 5 * 7
