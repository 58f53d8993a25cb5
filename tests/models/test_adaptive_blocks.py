"""Blocks with TAdaConv in their slots start as the plain ones."""

import functools

import jax
import numpy as np
import pytest

from temporal_jax import layers
from temporal_jax.models import Temporal
from temporal_jax.models.residual import BasicBlock, BottleneckBlock
from temporal_jax.models.transformer import TransformerBlock

ADAPTIVE = Temporal(
  convolution=layers.AdaptiveConv,
  after_convolution=layers.StridedTemporalPooling,
)


def _merge(temporal, image):
  """Puts the leaves of `image` into `temporal`; none may be left over."""
  merged = dict(temporal)
  for name, leaf in image.items():
    merged[name] = (
      _merge(temporal[name], leaf) if isinstance(leaf, dict) else leaf
    )
  assert merged.keys() == temporal.keys()
  return merged


@pytest.mark.parametrize("block", [BasicBlock, BottleneckBlock])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_residual_block_starts_as_the_plain_one(block, stride):
  x = np.random.default_rng(0).standard_normal((1, 3, 4, 5, 8), np.float32)
  plain, temporal = block(8, stride), block(8, stride, temporal=ADAPTIVE)
  image = plain.init(jax.random.key(1), x)
  last = "norm3" if block is BottleneckBlock else "norm2"
  image["params"][last]["scale"] = np.ones_like(image["params"][last]["scale"])
  variables = temporal.init(jax.random.key(0), x)
  got, aux = temporal.apply(_merge(variables, image), x)
  want, _ = plain.apply(image, x)
  np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)
  np.testing.assert_array_equal(aux["calibration"], np.ones((1, 3, 8)))


def test_a_transformer_block_starts_as_the_plain_one():
  x = np.random.default_rng(0).standard_normal((1, 3, 10, 16), np.float32)
  branch = functools.partial(layers.AdaptiveBranch, head_width=4)
  plain = TransformerBlock(2)
  temporal = TransformerBlock(
    2, temporal=Temporal(attention_branch=branch, mlp_branch=branch)
  )
  image = plain.init(jax.random.key(1), x)
  variables = temporal.init(jax.random.key(0), x)
  got, _ = temporal.apply(_merge(variables, image), x)
  want, _ = plain.apply(image, x)
  np.testing.assert_array_equal(got, want)
