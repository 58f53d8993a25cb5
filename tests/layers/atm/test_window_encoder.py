import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax import layers, models
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "WindowEncoder": layer_example(layers.WindowEncoder, (2, 3, 3, 3, 9, 9)),
}


@pytest.mark.parametrize("window", [9, 11])
def test_matches_torch(window):
  rng = np.random.default_rng(0)
  x = rng.standard_normal((2, 3, window, window), np.float32)
  encoder = layers.WindowEncoder((2, 3, 4, 5))
  variables = jax.jit(encoder.init)(jax.random.key(0), x)

  want = torch.tensor(x.reshape(6, 1, window, window))
  settings = zip((1, 2, 2, 1), (1, 1, 1, 0), strict=True)
  for i, (stride, padding) in enumerate(settings, 1):
    kernel = variables["params"][f"layer{i}"]["conv"]["kernel"]
    kernel = torch.tensor(np.array(kernel)).permute(3, 2, 0, 1)
    want = torch.nn.functional.conv2d(want, kernel, stride=stride, padding=padding)
    want = (want / (1 + 1e-5) ** 0.5).relu()

  got = jax.jit(encoder.apply)(variables, x)
  assert got.shape == (2, 3, 5)
  np.testing.assert_allclose(got.reshape(6, 5), want[:, :, 0, 0], rtol=1e-4, atol=1e-5)


def test_the_norms_of_places_fold():
  x = np.random.default_rng(0).standard_normal((2, 3, 9, 9), np.float32)
  encoder = layers.WindowEncoder((2, 3, 4, 5))
  variables = jax.jit(encoder.init)(jax.random.key(0), x)

  @jax.jit
  def train(variables):
    return encoder.apply(variables, x, train=True, mutable=["batch_stats"])[1]

  variables = {**variables, **train(variables)}
  folded = models.fold_batch_norm(variables)
  assert not jax.tree.leaves(folded["batch_stats"])
  apply = jax.jit(encoder.apply)
  np.testing.assert_allclose(
    apply(folded, x), apply(variables, x), rtol=1e-4, atol=1e-5
  )


@pytest.mark.parametrize("shape", [(2, 7, 7), (2, 13, 13), (2, 9, 11)])
def test_rejects_windows_that_do_not_end_at_one_place(shape):
  with pytest.raises(ValueError, match="windows"):
    layers.WindowEncoder().init(jax.random.key(0), jnp.zeros(shape))
