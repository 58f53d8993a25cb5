import jax
import jax.numpy as jnp
import numpy as np
import pytest

import temporal_jax

SMALL = {"width": 8, "stage_sizes": (2, 2, 2, 1)}


def _small(name="blvnet_tam_50", **kwargs):
  return temporal_jax.create_model(name, num_classes=5, **SMALL, **kwargs)


def _random(model, clip):
  """Variables that keep the size of what differs, from the clip to the end."""
  rng = np.random.default_rng(1)

  def draw(path, leaf):
    noise = rng.standard_normal(leaf.shape, np.float32)
    if path[-1].key == "kernel":
      return noise * np.float32(np.sqrt(2 / np.prod(leaf.shape[:-1])))
    centre = 1 if path[-1].key in ("scale", "var") else 0
    return centre + 0.1 * noise

  shapes = jax.eval_shape(model.init, jax.random.key(0), clip)
  return jax.tree.map_with_path(draw, shapes)


def _shapes(model, clip):
  return jax.eval_shape(model.init_with_output, jax.random.key(0), clip)[0]


@pytest.fixture
def clip():
  rng = np.random.default_rng(0)
  return rng.standard_normal((2, 4, 32, 32, 3), np.float32)


@pytest.mark.parametrize(("name", "frames"), [("blvnet_tam_50", 2), ("blresnet50", 4)])
def test_contract(clip, name, frames):
  model = _small(name)
  logits, aux = _shapes(model, clip)
  assert logits.shape == (2, 5)
  assert aux["features"].shape == (2, 256)
  assert aux["frame_features"].shape == (2, frames, 256)


def test_without_an_operator_the_order_of_pairs_does_not_matter(clip):
  model = _small(temporal=None)
  variables = _random(model, clip)
  apply = jax.jit(model.apply)
  forward, _ = apply(variables, clip)
  swapped, _ = apply(variables, clip[:, [2, 3, 0, 1]])
  np.testing.assert_allclose(forward, swapped, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["blvnet_tam_50", "blvnet_tsm_50"])
def test_with_an_operator_the_order_of_pairs_matters(clip, name):
  model = _small(name)
  variables = _random(model, clip)
  apply = jax.jit(model.apply)
  forward, _ = apply(variables, clip)
  swapped, _ = apply(variables, clip[:, [2, 3, 0, 1]])
  assert np.abs(forward - swapped).max() > 1e-2 * np.abs(forward).max()


@pytest.mark.parametrize(
  "name", ["blvnet_tam_50", pytest.param("blresnet50", marks=pytest.mark.slow)]
)
def test_gradients_reach_every_parameter(clip, name):
  model = _small(name)
  variables = _random(model, clip)

  def loss(params):
    logits, _ = model.apply({**variables, "params": params}, clip)
    return jnp.sum(jnp.sin(logits))

  gradients = jax.jit(jax.grad(loss))(variables["params"])
  for path, gradient in jax.tree.leaves_with_path(gradients):
    assert np.isfinite(gradient).all(), path
    assert np.abs(gradient).max() > 0, path


def test_over_all_frames_it_is_an_image_network(clip):
  model = _small("blresnet50")
  variables = _random(model, clip)
  apply = jax.jit(model.apply)
  whole, _ = apply(variables, clip)
  frames, _ = apply(variables, clip.reshape(8, 1, 32, 32, 3))
  np.testing.assert_allclose(
    whole, frames.reshape(2, 4, 5).mean(axis=1), rtol=1e-4, atol=1e-5
  )


def test_one_frame_only_where_frames_do_not_alternate():
  clip = np.zeros((1, 1, 32, 32, 3), np.float32)
  logits, _ = _shapes(_small("blresnet50"), clip)
  assert logits.shape == (1, 5)
  with pytest.raises(ValueError, match="come in pairs"):
    _small().init(jax.random.key(0), clip)


def test_rejects_what_it_cannot_be():
  with pytest.raises(ValueError, match="four stages"):
    _small("blvnet_50").clone(stage_sizes=(2, 2))
  with pytest.raises(ValueError, match="upsampling must be one of"):
    _small(upsampling="cubic")
  with pytest.raises(ValueError, match="unknown head"):
    _small(head="votes")
  with pytest.raises(ValueError, match=r"\['branch_input'\], not"):
    _small(temporal="adaptive")
