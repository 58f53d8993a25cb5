"""Initialisers against the bounds and the variance of torch's layers."""

import jax
import numpy as np
import pytest

from temporal_jax.layers.initializers import torch_default, torch_depthwise_default


@pytest.mark.parametrize(
  ("initializer", "shape", "fan_in"),
  [
    (torch_default(), (48, 4000), 48),
    (torch_default(), (3, 3, 20, 400), 180),
    (torch_default(batch_axis=(0,)), (20, 48, 400), 48),
    (torch_depthwise_default(), (3, 3, 4000), 9),
    (torch_depthwise_default(), (5, 5, 4000), 25),
  ],
)
def test_values_are_uniform_within_one_over_the_root_of_fan_in(
  initializer, shape, fan_in
):
  values = np.asarray(initializer(jax.random.key(0), shape))
  bound = fan_in**-0.5
  assert 0.99 * bound < np.abs(values).max() <= bound
  assert abs(values.mean()) < 0.02 * bound
  np.testing.assert_allclose(values.var(), bound**2 / 3, rtol=0.03)
