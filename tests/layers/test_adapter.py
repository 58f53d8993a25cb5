import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax import layers, models
from tests.support.examples import CLIP_PATCHES, layer_example

LAYER_EXAMPLES = {
  "TemporalAdapter": layer_example(layers.TemporalAdapter, CLIP_PATCHES, width=6),
}
WIDTH, INNER = 12, 5


def _tokens(frames=4, side=3):
  shape = (2, frames, 1 + side * side, WIDTH)
  return np.random.default_rng(0).standard_normal(shape, np.float32)


def _random(layer, x):
  shapes = jax.eval_shape(layer.init, jax.random.key(0), x)["params"]
  rng = np.random.default_rng(1)
  return jax.tree.map(
    lambda leaf: rng.standard_normal(leaf.shape).astype(np.float32), shapes
  )


def _volumetric(params, x, taps):
  """The branch by torch's convolution of a volume, one group per channel."""
  params = jax.tree.map(torch.tensor, params)
  clips, frames, tokens, _ = x.shape
  side = round((tokens - 1) ** 0.5)
  convolution = torch.nn.Conv3d(
    INNER, INNER, (taps, 1, 1), padding=(taps // 2, 0, 0), groups=INNER
  )
  kernel = params["convolution"]["kernel"]
  with torch.no_grad():
    convolution.weight.copy_(kernel.T[:, None, :, None, None])
    convolution.bias.copy_(params["convolution"]["bias"])
    patches = torch.tensor(x[:, :, 1:])
    down = patches @ params["down"]["kernel"] + params["down"]["bias"]
    volume = down.reshape(clips, frames, side, side, INNER).permute(0, 4, 1, 2, 3)
    mixed = convolution(volume).permute(0, 2, 3, 4, 1).reshape(down.shape)
    out = mixed @ params["up"]["kernel"] + params["up"]["bias"]
  return out.numpy()


@pytest.mark.parametrize(("taps", "frames"), [(1, 2), (3, 1), (3, 4), (5, 4)])
def test_is_a_depthwise_convolution_of_a_volume(taps, frames):
  x = _tokens(frames)
  layer = layers.TemporalAdapter(INNER, taps)
  params = _random(layer, x)
  got, aux = jax.jit(layer.apply)({"params": params}, x)
  assert aux == {}
  np.testing.assert_array_equal(got[:, :, 0], np.zeros((2, frames, WIDTH)))
  want = _volumetric(params, x, taps)
  np.testing.assert_allclose(got[:, :, 1:], want, rtol=1e-4, atol=1e-4)


def test_adds_nothing_at_first_and_learns_from_it():
  x = _tokens()
  layer = layers.TemporalAdapter()
  (got, _), variables = layer.init_with_output(jax.random.key(0), x)
  np.testing.assert_array_equal(got, np.zeros_like(x))
  assert variables["params"]["down"]["kernel"].shape == (WIDTH, WIDTH // 2)

  def loss(params):
    return jnp.sum(jnp.sin(1 + layer.apply({"params": params}, x)[0]))

  gradient = jax.grad(loss)(variables["params"])
  assert np.abs(gradient["convolution"]["kernel"]).max(axis=1).min() > 0.01


def test_operators_fill_the_residual_branches_of_a_block():
  one, two = (models.OPERATORS[name] for name in ("adapter", "adapters"))
  assert one.filled() == {"attention_branch"}
  assert two.filled() == {"attention_branch", "mlp_branch"}
  network = models.create_model(
    "vit_b16",
    num_classes=2,
    temporal="adapter(width=3, taps=5)",
    width=8,
    depth=1,
    num_heads=1,
  )
  shapes = jax.eval_shape(
    network.init, jax.random.key(0), np.zeros((1, 2, 32, 32, 3), np.float32)
  )
  branch = shapes["params"]["block1"]["attention_branch"]
  assert branch["convolution"]["kernel"].shape == (5, 3)
  assert branch["up"]["kernel"].shape == (3, 8)


@pytest.mark.parametrize(
  ("settings", "shape", "message"),
  [
    ({}, (2, 3, 16), "x must be"),
    ({"width": 0}, (1, 2, 5, 8), "width must be an integer of at least 1, got 0"),
    ({}, (1, 2, 5, 1), "width must be an integer of at least 1, got 0"),
    ({"taps": 2}, (1, 2, 5, 8), "taps must be odd and positive, got 2"),
    ({"taps": 0}, (1, 2, 5, 8), "taps must be"),
  ],
)
def test_refuses(settings, shape, message):
  layer = layers.TemporalAdapter(**settings)
  with pytest.raises(ValueError, match=message):
    layer.init(jax.random.key(0), np.zeros(shape, np.float32))
