import jax
import jax.numpy as jnp
import numpy as np
import torch

from temporal_jax import layers
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "DomainTransformation": layer_example(
    layers.DomainTransformation, (2, 3, 5, 6, 4), features=6, hidden=4
  ),
}


def _convolve(x, kernel):
  """torch's padded 3 x 3 convolution of (N, H, W, C), kernel (3, 3, C, C')."""
  out = torch.nn.functional.conv2d(
    torch.tensor(np.array(x)).permute(0, 3, 1, 2),
    torch.tensor(np.array(kernel)).permute(3, 2, 0, 1),
    padding=1,
  )
  return (out / (1 + 1e-5) ** 0.5).relu().permute(0, 2, 3, 1).numpy()


def test_contexts_lie_behind_one_another():
  """The third convolution is one over the channels of all contexts."""
  length, hidden = 3, 4
  x = np.random.default_rng(0).standard_normal((2, 2, length, 4, 5, 6), np.float32)
  module = layers.DomainTransformation(
    7, hidden, output_init=jax.nn.initializers.normal()
  )
  variables = jax.jit(module.init)(jax.random.key(0), x)
  params = variables["params"]

  y = x.reshape(-1, 4, 5, 6)
  for name in ("layer1", "layer2"):
    y = _convolve(y, params[name]["conv"]["kernel"])
  y = y.reshape(4, length, 4, 5, hidden).transpose(0, 2, 3, 1, 4)
  kernel = jnp.moveaxis(params["fuse"]["kernel"], 0, 2)
  y = _convolve(y.reshape(4, 4, 5, -1), kernel.reshape(3, 3, length * hidden, hidden))
  want = (y @ np.array(params["expand"]["kernel"])).reshape(2, 2, 4, 5, 7)

  got = jax.jit(module.apply)(variables, x)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)


def test_starts_at_zero():
  x = jnp.ones((1, 2, 3, 4, 4, 5))
  module = layers.DomainTransformation(7)
  out, _ = module.init_with_output(jax.random.key(0), x)
  assert out.shape == (1, 2, 4, 4, 7)
  assert not out.any()
