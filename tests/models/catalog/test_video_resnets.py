"""The catalog's networks over time and space: their parameters."""

import functools

import jax
import jax.numpy as jnp
import pytest

import temporal_jax
from temporal_jax.models.catalog import video_resnets

# Parameters with 400 classes: those of the authors' code.
PLAIN = {
  "slowonly_50": 32_454_096,
  "slowfast_50_4x16": 34_480_216,
  "slowfast_50_8x8": 34_566_488,
  "r2plus1d_10": 14_570_677,
  "r2plus1d_18": 33_383_797,
  "r2plus1d_50": 28_126_495,
  "r2d3d_18": 14_160_336,
  "r3d_18": 33_371_472,
}
# In millions, those of arXiv:2110.06178, table 3.
PAPER = {
  "slowonly_50_tada": 35.6,
  "slowfast_50_4x16_tada": 37.7,
  "slowfast_50_8x8_tada": 37.7,
  "r2plus1d_50_tada": 31.2,
  "r2plus1d_50_tada1d": 34.4,
  "r3d_50": 47.0,
  "r3d_50_tada": 50.1,
}


@functools.cache
def _shapes(name):
  """Variables with 400 classes; a small clip is traced fastest."""
  model = temporal_jax.create_model(name, num_classes=400)
  clip = jax.ShapeDtypeStruct((1, 8, 32, 32, 3), jnp.float32)
  return jax.eval_shape(model.init, jax.random.key(0), clip)


def _count(name):
  return sum(leaf.size for leaf in jax.tree.leaves(_shapes(name)["params"]))


def test_no_row_is_missing():
  assert PLAIN.keys() | PAPER.keys() == video_resnets.ENTRIES.keys()


@pytest.mark.parametrize("name", PLAIN)
def test_has_the_authors_parameters(name):
  assert _count(name) == PLAIN[name]


@pytest.mark.parametrize(
  "name",
  [
    pytest.param(
      name, marks=[pytest.mark.slow] if name == "slowfast_50_8x8_tada" else []
    )
    for name in PAPER
  ],
)
def test_has_the_papers_parameters(name):
  # The paper's R(2+1)D has 31.2 M in one table and 31.3 M in another.
  assert abs(_count(name) / 1e6 - PAPER[name]) < 0.1
