import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.ops.lowering import window_selection

SELECTIONS = (
  window_selection.by_gather,
  window_selection.by_slices,
  window_selection.by_product,
)


def _select(products, window):
  """The definition, place by place."""
  rows, columns = products.shape[-4:-2]
  windows = [
    products[..., i, j, i : i + window, j : j + window]
    for i in range(rows)
    for j in range(columns)
  ]
  out = np.stack(windows, axis=-3)
  return out.reshape(*products.shape[:-2], window * window)


def _products(rows, columns, window, lead=(2, 3)):
  shape = (*lead, rows, columns, rows + window - 1, columns + window - 1)
  return np.random.default_rng(0).standard_normal(shape, np.float32)


@pytest.mark.parametrize("select", SELECTIONS)
@pytest.mark.parametrize("sizes", [(7, 7, 9), (1, 1, 3), (3, 1, 5), (1, 4, 1)])
def test_selects_exactly(select, sizes):
  products = _products(*sizes)
  got = jax.jit(select, static_argnums=1)(products, sizes[-1])
  np.testing.assert_array_equal(got, _select(products, sizes[-1]))


@pytest.mark.parametrize("select", SELECTIONS)
def test_gradients_go_back_where_the_windows_came_from(select):
  products = _products(2, 3, 3)
  weight = np.random.default_rng(1).standard_normal((2, 3, 2, 3, 9), np.float32)
  _, backward = jax.vjp(lambda x: select(x, 3), products)
  (got,) = backward(weight)
  want = np.zeros_like(products)
  for i in range(2):
    for j in range(3):
      want[..., i, j, i : i + 3, j : j + 3] = weight[..., i, j, :].reshape(2, 3, 3, 3)
  np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize("select", SELECTIONS)
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_selects_exactly_in_half_precision(select, dtype):
  products = jnp.asarray(_products(3, 2, 3), dtype)
  got = select(products, 3)
  assert got.dtype == dtype
  np.testing.assert_array_equal(got, _select(np.asarray(products), 3))
