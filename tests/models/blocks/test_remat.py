"""Blocks computed again for the gradients: same values, less memory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import temporal_jax
from benchmarks import memory
from temporal_jax.models.catalog.image_towers import EVA_BLOCK
from tests.support import tiny_networks

NETWORKS = {
  "resnet_bottleneck": {"width": 8, "stage_sizes": (2,)},
  "big_little": {},
  "convnext": {"stage_sizes": (2,)},
  "transformer": {"depth": 2, "block": EVA_BLOCK},
  "resnet3d": {},
  "slowfast": {},
  "video_text": {"depth": 2},
}


def _loss(model, variables, clip):
  def loss(params):
    logits, _ = model.apply({**variables, "params": params}, clip)
    return jnp.sum(jnp.square(logits))

  return loss


SLOW = ("big_little", "slowfast", "video_text")  # To compile twice.


@pytest.mark.parametrize(
  "name",
  [
    pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
    for name in NETWORKS
  ],
)
def test_values_stay(name):
  clip = tiny_networks.clip()
  plain, again = (
    tiny_networks.build(name, remat=remat, **NETWORKS[name]) for remat in (False, True)
  )
  leaves = tiny_networks.flat(tiny_networks.shapes(plain, clip))
  assert tiny_networks.flat(tiny_networks.shapes(again, clip)) == leaves
  variables = tiny_networks.nested(tiny_networks.draw(leaves))
  (one, kept), (other, recomputed) = (
    jax.jit(jax.value_and_grad(_loss(model, variables, clip)))(variables["params"])
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
  """Memory kept next to the parameters; XLA may merge it again on CPU."""
  clip = jax.ShapeDtypeStruct((1, 8, 224, 224, 3), jnp.float32)
  kept = []
  for remat in (False, True):
    model = temporal_jax.create_model("vit_l14", num_classes=3, depth=6, remat=remat)
    variables = jax.eval_shape(model.init, jax.random.key(0), clip)
    parameters = sum(leaf.size for leaf in jax.tree.leaves(variables))

    def gradient(variables, clip, model=model):
      loss = _loss(model, {}, clip)
      return jax.vjp(loss, variables["params"])[1]

    residuals = jax.tree.leaves(jax.eval_shape(gradient, variables, clip))
    kept.append(sum(leaf.size for leaf in residuals) - parameters)
  assert 0 < kept[1] < kept[0] / 2


def test_memory_is_what_the_compiler_sets_aside():
  size = memory.temporary_bytes(
    "vit_b16",
    batch=1,
    frames=2,
    dtype="float32",
    remat=False,
    image_size=32,
    depth=1,
  )
  tokens = 2 * 5 * 768  # The values of one layer.
  assert 4 * tokens < size < 2**30
