"""Batches of no clips: empty results, and gradients of nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import ops
from tests.support.examples import draw_arrays, operator_examples

EVERY = operator_examples()


@pytest.fixture(params=EVERY, ids=str)
def example(request):
  return EVERY[request.param]


@pytest.fixture(autouse=True)
def _no_nan():
  with jax.debug_nans(True):
    yield


def _loss(example):
  def loss(*arrays):
    out = jax.tree.leaves(example.op(*arrays))
    kinds = [x for x in out if jnp.issubdtype(x.dtype, jnp.floating)]
    return sum((jnp.sum(jnp.square(x)) for x in kinds), jnp.zeros(()))

  return loss


def _assert_no_clips(example, got, want):
  """`want` is the result for two clips: without them nothing else changes."""
  of_three, _ = draw_arrays(example, 3)
  _, shared = draw_arrays(example)
  more = jax.eval_shape(example.op, *of_three, *shared)
  trees = (jax.tree.leaves(tree) for tree in (got, want, more))
  for leaf, two, three in zip(*trees, strict=True):
    shape = [a if a == b else 0 for a, b in zip(two.shape, three.shape, strict=True)]
    assert leaf.shape == tuple(shape)
    assert leaf.dtype == two.dtype


def test_no_clips_give_no_results(example):
  clips, shared = draw_arrays(example)
  want = jax.eval_shape(example.op, *clips, *shared)
  none = [clip[:0] for clip in clips]
  _assert_no_clips(example, example.op(*none, *shared), want)


@pytest.mark.slow  # 100 compilations.
@pytest.mark.parametrize(("outer", "batch"), [(3, 0), (0, 2)])
def test_vmap_of_no_clips_gives_no_results(example, outer, batch):
  clips, shared = draw_arrays(example)
  inner = [clip[:batch] for clip in clips]
  stacked = [np.stack([clip] * 3)[:outer] for clip in inner]
  axes = [0] * len(clips) + [None] * len(shared)
  got = jax.jit(jax.vmap(example.op, axes))(*stacked, *shared)
  expected = jax.eval_shape(example.op, *inner, *shared)
  for leaf, one in zip(*map(jax.tree.leaves, (got, expected)), strict=True):
    assert leaf.shape == (outer, *one.shape)
    assert leaf.dtype == one.dtype


def test_gradients_of_no_clips_are_empty_or_zero(example):
  clips, shared = draw_arrays(example)
  arrays = [*(clip[:0] for clip in clips), *shared]
  gradient = jax.grad(_loss(example), tuple(range(len(arrays))))
  found = jax.jit(gradient)(*arrays)
  for array, slope in zip(arrays, found, strict=True):
    assert slope.shape == array.shape
    assert slope.dtype == array.dtype
    assert not np.any(slope)


def test_the_alignment_loss_of_no_pair_is_zero():
  x = np.zeros((0, 3, 4), np.float32)
  assert ops.alignment_loss(x, x) == 0
  with pytest.raises(ValueError, match="at least one channel"):
    ops.alignment_loss(x[..., :0], x[..., :0])
