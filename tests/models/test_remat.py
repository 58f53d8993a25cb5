"""Blocks computed again for the gradients: same values, less memory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import temporal_jax

_TINY_VIT = {"width": 32, "depth": 2, "num_heads": 2, "projection": None}
SMALL = {
  "resnet18": {"stage_sizes": (1, 1), "width": 8},
  "blvnet_tam_50": {"stage_sizes": (2, 2, 2, 1), "width": 8},
  "convnext_tiny": {"stage_sizes": (1, 1), "widths": (8, 16)},
  "eva_l14": {**_TINY_VIT, "patch_size": 8, "grid": 4},
  "r2plus1d_10": {"stage_sizes": (1, 1), "stem_width": 8, "widths": (8, 16)},
}


def _loss(model, variables, clip):
  def loss(params):
    logits, _ = model.apply({**variables, "params": params}, clip)
    return jnp.sum(jnp.square(logits))

  return loss


def _built(name, remat):
  return temporal_jax.create_model(
    name, num_classes=3, remat=remat, **SMALL[name]
  )


@pytest.mark.parametrize("name", list(SMALL))
def test_values_stay(name):
  rng = np.random.default_rng(0)
  clip = rng.standard_normal((1, 2, 32, 32, 3), np.float32)
  plain, again = (_built(name, remat) for remat in (False, True))
  shapes, others = (
    jax.eval_shape(model.init, jax.random.key(0), clip)
    for model in (plain, again)
  )
  assert shapes == others
  variables = jax.tree.map(
    lambda leaf: rng.uniform(0.1, 0.2, leaf.shape).astype(np.float32), shapes
  )
  (one, kept), (other, recomputed) = (
    jax.jit(jax.value_and_grad(_loss(model, variables, clip)))(
      variables["params"]
    )
    for model in (plain, again)
  )
  assert 0 < one < np.inf
  np.testing.assert_allclose(one, other, rtol=1e-5)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4),
    kept,
    recomputed,
  )


def test_a_vit_keeps_less_than_half_for_the_gradients():
  """What is kept beside the parameters; XLA may merge it again on CPU."""
  clip = jax.ShapeDtypeStruct((1, 8, 224, 224, 3), jnp.float32)
  kept = []
  for remat in (False, True):
    model = temporal_jax.create_model(
      "vit_l14", num_classes=3, depth=6, remat=remat
    )
    variables = jax.eval_shape(model.init, jax.random.key(0), clip)
    parameters = sum(leaf.size for leaf in jax.tree.leaves(variables))

    def gradient(variables, clip, model=model):
      loss = _loss(model, {}, clip)
      return jax.vjp(loss, variables["params"])[1]

    residuals = jax.tree.leaves(jax.eval_shape(gradient, variables, clip))
    kept.append(sum(leaf.size for leaf in residuals) - parameters)
  assert 0 < kept[1] < kept[0] / 2
