import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import models
from temporal_jax.layers import LayerNorm
from temporal_jax.models import TemporalEncoder, TransformerBlock


def _init(head, x):
  """Parameters that are nowhere zero."""
  params = head.init(jax.random.key(0), x)
  rng = np.random.default_rng(0)
  return jax.tree.map(
    lambda leaf: leaf + 0.2 * rng.standard_normal(leaf.shape, np.float32), params
  )


@pytest.fixture
def x():
  return np.random.default_rng(0).standard_normal((2, 3, 8), np.float32)


def test_is_a_transformer_after_a_class_token(x):
  head = TemporalEncoder(5, num_heads=2, num_blocks=2, num_positions=3)
  variables = _init(head, x)
  logits, aux = jax.jit(head.apply)(variables, x)
  params = variables["params"]
  token = jnp.broadcast_to(params["class_token"].reshape(1, 1, 8), (2, 1, 8))
  y = jnp.concatenate([token, x], axis=1) + params["position_embedding"][None]
  block = TransformerBlock(2, activation="gelu", epsilon=1e-6)
  for name in ("block1", "block2"):
    y, _ = block.apply({"params": params[name]}, y)
  y = LayerNorm(epsilon=1e-6).apply({"params": params["norm"]}, y[:, 0])
  np.testing.assert_allclose(aux["features"], y, rtol=1e-4, atol=1e-5)
  want = y @ params["head"]["kernel"] + params["head"]["bias"][None]
  np.testing.assert_allclose(logits, want, rtol=1e-4, atol=1e-5)


def test_other_lengths_get_interpolated_positions(x):
  head = TemporalEncoder(5, num_heads=2, num_blocks=1, num_positions=4)
  variables = _init(head, x)
  logits, _ = head.apply(variables, x)
  assert logits.shape == (2, 5)
  assert np.isfinite(logits).all()


def test_takes_settings_from_its_backbone():
  build = functools.partial(
    models.create_model,
    "vivit_b16x2_factorised",
    num_classes=3,
    **{"width": 16, "depth": 1, "num_heads": 4, "patch_size": 4, "grid": 2},
    head=functools.partial(TemporalEncoder, num_blocks=1, num_positions=2),
  )
  clip = np.random.default_rng(0).standard_normal((1, 4, 8, 8, 3), np.float32)
  variables = jax.jit(build().init)(jax.random.key(0), clip)
  shape = variables["params"]["head"]["block1"]["attention"]["qkv"]["kernel"].shape
  assert shape == (16, 3, 4, 4)  # As many heads as in space.
  logits, _ = jax.jit(build().apply)(variables, clip)
  exact, _ = jax.jit(build(activation="gelu").apply)(variables, clip)
  assert np.abs(logits - exact).max() > 0


def test_refuses_other_ranks(x):
  with pytest.raises(ValueError, match=r"x must be \(B, T, D\)"):
    TemporalEncoder(5).init(jax.random.key(0), x[0])
