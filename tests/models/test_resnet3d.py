"""Use of R3D, R(2+1)D and SlowOnly; of SlowFast where it is the same."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.models import tiny_resnet3d


@pytest.mark.parametrize(
  "name",
  [
    pytest.param("slowfast_50_4x16_tada", marks=pytest.mark.slow),
    "r2plus1d_10",
    "r2plus1d_50_tada1d",
    pytest.param("r3d_50_tada", marks=pytest.mark.slow),
  ],
)
def test_order_of_frames_matters_and_gradients_are_finite(name):
  model, clip = tiny_resnet3d.build(name), tiny_resnet3d.make_clip()
  variables = tiny_resnet3d.draw(model, clip)
  params = variables["params"]

  def loss(params, clip):
    logits, aux = model.apply({**variables, "params": params}, clip)
    return jnp.sum(jnp.sin(logits)), (logits, aux)

  step = jax.jit(jax.grad(loss, has_aux=True))
  gradients, (forward, aux) = step(params, clip)
  _, (backward, _) = step(params, clip[:, ::-1])
  assert forward.shape == (2, 5)
  assert forward.dtype == jnp.float32
  width = 64 + 32 * ("slowfast" in name)
  assert aux["features"].shape == (2, width if "_50" in name else 16)
  assert not np.allclose(forward, backward, atol=1e-5)
  for leaf in jax.tree.leaves(gradients):
    assert np.isfinite(leaf).all()


def test_late_taps_see_the_order_of_frames():
  model = tiny_resnet3d.build("slowonly_50", first_taps=(1, 3))
  clip = tiny_resnet3d.make_clip()
  variables = tiny_resnet3d.draw(model, clip)
  apply = jax.jit(model.apply)
  forward, _ = apply(variables, clip)
  backward, _ = apply(variables, clip[:, ::-1])
  assert not np.allclose(forward, backward, atol=1e-5)


def test_starts_as_the_network_without_tadaconv():
  adaptive = tiny_resnet3d.build("r3d_50_tada")
  plain = tiny_resnet3d.build("r3d_50")
  clip = tiny_resnet3d.make_clip()
  variables = jax.jit(adaptive.init)(jax.random.key(0), clip)
  shapes = jax.eval_shape(plain.init, jax.random.key(0), clip)
  params = {
    name: {k: v for k, v in module.items()}
    for name, module in variables["params"].items()
  }
  for name in params:
    if "block" in name:
      kernel = variables["params"][name]["conv2"]["kernel"]
      params[name]["conv2"] = {"kernel": kernel}
      params[name]["norm3"] = jax.tree.map(
        lambda x: x + 0.5, params[name]["norm3"]
      )
      variables["params"][name]["norm3"] = params[name]["norm3"]
  statistics = {
    name: {k: v for k, v in module.items() if k != "conv2"}
    for name, module in variables["batch_stats"].items()
  }
  image = {"params": params, "batch_stats": statistics}
  assert jax.tree.structure(image) == jax.tree.structure(shapes)
  got, _ = jax.jit(adaptive.apply)(variables, clip)
  want, _ = jax.jit(plain.apply)(image, clip)
  np.testing.assert_allclose(got, want, atol=1e-5)


def test_computes_in_bfloat16():
  model = tiny_resnet3d.build("r2plus1d_50_tada1d", dtype=jnp.bfloat16)
  clip = jax.ShapeDtypeStruct((1, 4, 16, 16, 3), jnp.float32)
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  logits, aux = jax.eval_shape(model.apply, variables, clip)
  assert logits.dtype == aux["features"].dtype == jnp.float32
  assert {x.dtype for x in jax.tree.leaves(variables)} == {jnp.dtype("float32")}


@pytest.mark.parametrize(
  ("name", "kwargs", "match"),
  [
    ("r3d_50", {"block": "dense"}, "block must be in"),
    ("slowonly_50", {"block": "basic"}, "no first_taps"),
    ("r3d_50", {"taps": (3, 3)}, "taps must have 3 numbers"),
    ("r3d_50", {"temporal": "adaptive_space_and_time"}, "temporal_convolution"),
    ("slowfast_50_8x8", {"beta": 3}, "beta 3 must divide"),
  ],
)
def test_refuses_what_does_not_fit(name, kwargs, match):
  with pytest.raises(ValueError, match=match):
    tiny_resnet3d.build(name, **kwargs)
