import jax
import jax.numpy as jnp
import numpy as np
import pytest

import temporal_jax
from temporal_jax import layers, models

# torchvision's parameters with 1000 classes.
TORCHVISION = {
  "resnet18": 11_689_512,
  "resnet34": 21_797_672,
  "resnet50": 25_557_032,
  "resnet101": 44_549_160,
  "resnet152": 60_192_808,
}


def _shapes(model, shape=(1, 8, 224, 224, 3)):
  clip = jax.ShapeDtypeStruct(shape, jnp.float32)
  return jax.eval_shape(model.init, jax.random.key(0), clip)


def _count(variables):
  return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def _small(**kwargs):
  return temporal_jax.create_model(
    "resnet18", num_classes=5, width=8, stage_sizes=(1, 1), **kwargs
  )


@pytest.mark.parametrize("name", TORCHVISION)
def test_has_torchvisions_parameters(name):
  model = temporal_jax.create_model(name, num_classes=1000)
  assert _count(_shapes(model)) == TORCHVISION[name]


def test_aggregation_adds_three_taps_a_block():
  plain = temporal_jax.create_model("resnet50", num_classes=174)
  full = temporal_jax.create_model("aggregation_resnet50", num_classes=174)
  inputs = 64 + 2 * 256 + 256 + 3 * 512 + 512 + 5 * 1024 + 1024 + 2 * 2048
  assert _count(_shapes(full)) - _count(_shapes(plain)) == 3 * inputs


@pytest.mark.parametrize(("block", "width"), [("basic", 16), ("bottleneck", 64)])
@pytest.mark.parametrize("stem", ["7x7_pool", "7x7", "3x3"])
def test_contract(stem, block, width):
  model = _small(stem=stem, block=block)
  clip = np.zeros((2, 4, 16, 16, 3), np.float32)
  apply = model.init_with_output
  (logits, aux), _ = jax.eval_shape(apply, jax.random.key(0), clip)
  assert logits.shape == (2, 5)
  assert logits.dtype == jnp.float32
  assert aux["features"].shape == (2, width)
  assert aux["frame_features"].shape == (2, 4, width)


def test_where_chooses_blocks():
  second = models.Temporal(
    branch_input=layers.TemporalAggregation, where=lambda stage, _: stage == 1
  )
  params = _shapes(_small(temporal=second))["params"]
  assert "branch_input" not in params["stage1_block1"]
  assert "branch_input" in params["stage2_block1"]


def test_computes_in_bfloat16():
  model = _small(temporal="aggregation", dtype=jnp.bfloat16)
  clip = np.zeros((1, 2, 16, 16, 3), np.float32)
  apply = model.init_with_output
  (logits, _), variables = jax.eval_shape(apply, jax.random.key(0), clip)
  assert logits.dtype == jnp.float32
  assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}


def test_rejects_what_is_not_a_clip():
  with pytest.raises(ValueError, match=r"\(B, T, H, W, C\), got shape"):
    _small().init(jax.random.key(0), np.zeros((2, 16, 16, 3), np.float32))


@pytest.mark.parametrize("kwargs", [{"stem": "5x5"}, {"block": "dense"}])
def test_rejects_unknown_parts(kwargs):
  with pytest.raises(ValueError, match="must be in"):
    _small(**kwargs)
