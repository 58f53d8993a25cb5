"""What holds for every operator: one row of the table below each."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import ops


class Row(NamedTuple):
  """An operator at work.

  Attributes:
    op: The operator with its options.
    shared: Shapes of arrays that all clips share, behind those of the clips.
    clips: Shapes of arrays of clips: T frames, then what follows.
    temporal: Whether it mixes frames.
  """

  op: Callable[..., jax.Array]
  clips: tuple[tuple[int, ...], ...]
  shared: tuple[tuple[int, ...], ...] = ()
  temporal: bool = False


_MAP, _TOKENS, _HEADS = (5, 4, 6), (4, 6), (4, 2, 3)
_bind = functools.partial

ROWS = {
  "adaptive_convolution": Row(
    lambda x, a, k: ops.adaptive_convolution(x, k, a, padding=1),
    (_MAP, (6,)),
    ((3, 3, 3, 6, 4),),
    temporal=True,
  ),
  "adaptive_convolution of frames": Row(
    lambda x, a, k: ops.adaptive_convolution(x, k, a, axis="out", padding=1),
    (_MAP, (4,)),
    ((3, 3, 6, 4),),
  ),
  "append_summaries": Row(
    # The summaries stand in the order of their frames.
    lambda x, y: ops.append_summaries(x, y).sum(axis=2),
    (_TOKENS, _TOKENS),
  ),
  "arithmetic_cue": Row(
    _bind(ops.arithmetic_cue, kind="difference"), (_MAP,), temporal=True
  ),
  "attention": Row(ops.attention, (_HEADS,) * 3),
  "average_pool_2d": Row(_bind(ops.average_pool_2d, size=3, stride=2), (_MAP,)),
  "context_frames": Row(ops.context_frames, (_MAP,), temporal=True),
  "convolution_2d": Row(
    _bind(ops.convolution_2d, padding=1), (_MAP,), ((3, 3, 6, 2),)
  ),
  "convolution_3d": Row(
    _bind(ops.convolution_3d, padding=1),
    (_MAP,),
    ((3, 3, 3, 6, 2),),
    temporal=True,
  ),
  "depthwise_convolution_2d": Row(
    _bind(ops.depthwise_convolution_2d, padding=1), (_MAP,), ((3, 3, 6),)
  ),
  "depthwise_temporal_convolution": Row(
    ops.depthwise_temporal_convolution, (_MAP,), ((3, 6),), temporal=True
  ),
  "gelu": Row(ops.gelu, (_MAP,)),
  "joint_attention": Row(ops.joint_attention, (_HEADS,) * 3),
  "l2_normalize": Row(ops.l2_normalize, (_TOKENS,)),
  "max_pool_2d": Row(_bind(ops.max_pool_2d, size=3, stride=2), (_MAP,)),
  "patch_embedding": Row(ops.patch_embedding, ((4, 6, 2),), ((2, 3, 2, 5),)),
  "patch_embedding of tubelets": Row(
    _bind(ops.patch_embedding, temporal_padding=1),
    ((4, 6, 2),),
    ((3, 2, 3, 2, 5),),
    temporal=True,
  ),
  "quick_gelu": Row(ops.quick_gelu, (_MAP,)),
  "resize_bicubic": Row(_bind(ops.resize_bicubic, size=(7, 3)), (_MAP,)),
  "rotary_embedding": Row(
    _bind(ops.rotary_embedding, grid=(1, 3)), ((4, 2, 4),)
  ),
  "space_time_mixing_attention": Row(
    _bind(ops.space_time_mixing_attention, fold_div=3),
    (_HEADS,) * 3,
    temporal=True,
  ),
  "spatial_attention": Row(ops.spatial_attention, (_HEADS,) * 3),
  "temporal_aggregation": Row(
    ops.temporal_aggregation, (_MAP,), ((5, 6),), temporal=True
  ),
  "temporal_aggregation of the past": Row(
    _bind(ops.temporal_aggregation, causal=True),
    (_MAP,),
    ((4, 6),),
    temporal=True,
  ),
  "temporal_attention": Row(ops.temporal_attention, (_HEADS,) * 3),
  "temporal_convolution": Row(
    ops.temporal_convolution, (_MAP,), ((3, 6, 4),), temporal=True
  ),
  "temporal_correlation": Row(
    _bind(ops.temporal_correlation, length=3, window=3), (_MAP,), temporal=True
  ),
  "temporal_pooling": Row(ops.temporal_pooling, (_MAP,)),
  "temporal_shift": Row(
    _bind(ops.temporal_shift, fold_div=3), (_MAP,), temporal=True
  ),
  "token_shift": Row(ops.token_shift, (_TOKENS,), temporal=True),
}
# Their arrays are not clips of frames, or they draw; they have their own tests.
OTHERS = {
  "align_frames",
  "alignment_loss",
  "alignment_mask",
  "anchor_frames",
  "average_consensus",
  "drop_path",
  "match_patches",
  "merge_pairs",
  "permute_patches",
  "temporal_aggregation_step",
  "temporal_shift_step",
}

# Their gradients are their own, and forward mode is refused; README names them.
REVERSE_ONLY = {
  "adaptive_convolution",
  "adaptive_convolution of frames",
  "attention",
  "convolution_2d",
  "convolution_3d",
  "depthwise_convolution_2d",
  "joint_attention",
  "space_time_mixing_attention",
  "spatial_attention",
  "temporal_attention",
}


@pytest.fixture(params=ROWS, ids=str)
def row(request):
  return ROWS[request.param]


def _arrays(row, batch=2, frames=4):
  rng = np.random.default_rng(0)
  clips = [
    rng.standard_normal((batch, frames, *shape), np.float32)
    for shape in row.clips
  ]
  shared = [rng.standard_normal(shape, np.float32) for shape in row.shared]
  return clips, shared


def _near(got, want, tolerance):
  got, want = (np.asarray(x, np.float64) for x in (got, want))
  assert np.linalg.norm(got - want) <= tolerance * np.linalg.norm(want)


def test_no_operator_is_missing():
  assert {name.split()[0] for name in ROWS} | OTHERS == set(ops.__all__)


@pytest.mark.parametrize("batch", [1, 2])  # XLA drops axes of one.
def test_jit_is_eager(row, batch):
  clips, shared = _arrays(row, batch)
  _near(jax.jit(row.op)(*clips, *shared), row.op(*clips, *shared), 1e-6)


def test_clips_are_apart(row):
  """A batch is its clips one by one, also under vmap."""
  clips, shared = _arrays(row)
  whole = row.op(*clips, *shared)
  each = [
    row.op(*(clip[i : i + 1] for clip in clips), *shared)[0] for i in range(2)
  ]
  _near(np.stack(each), whole, 1e-6)
  mapped = jax.vmap(
    lambda *clips: row.op(*(c[None] for c in clips), *shared)[0]
  )
  _near(mapped(*clips), whole, 1e-6)


@pytest.mark.parametrize("frames", [1, 2])
def test_short_clips_work(row, frames):
  clips, shared = _arrays(row, frames=frames)
  assert np.isfinite(row.op(*clips, *shared)).all()


def test_bfloat16_stays_near_and_keeps_its_dtype(row):
  clips, shared = _arrays(row)
  halves = [jnp.asarray(array, jnp.bfloat16) for array in (*clips, *shared)]
  half = row.op(*halves)
  assert half.dtype == jnp.bfloat16
  _near(half, row.op(*clips, *shared), 3e-2)


def test_gradients_are_finite(row):
  clips, shared = _arrays(row)

  def loss(*arrays):
    return jnp.sum(jnp.square(row.op(*arrays)))

  count = len(clips) + len(shared)
  for gradient in jax.grad(loss, argnums=tuple(range(count)))(*clips, *shared):
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


def test_reversing_time_changes_temporal_operators_alone(row):
  """Backwards in is backwards out, unless past and future are told apart."""
  clips, shared = _arrays(row)
  forth = np.asarray(row.op(*clips, *shared))
  back = row.op(*(clip[:, ::-1] for clip in clips), *shared)
  back = np.asarray(back)[:, ::-1]
  change = np.linalg.norm(forth - back) / np.linalg.norm(forth)
  assert change > 0.1 if row.temporal else change < 1e-5


@pytest.mark.parametrize("name", sorted(set(ROWS) - REVERSE_ONLY))
def test_forward_mode_agrees_with_reverse_mode(name):
  clips, shared = _arrays(ROWS[name])
  arrays = (*clips, *shared)
  tangents = [np.roll(array, 1).astype(np.float32) for array in arrays]
  out, along = jax.jvp(ROWS[name].op, arrays, tuple(tangents))
  weights = np.random.default_rng(1).standard_normal(out.shape, np.float32)
  gradients = jax.vjp(ROWS[name].op, *arrays)[1](weights)
  found = sum(map(np.vdot, gradients, tangents))
  np.testing.assert_allclose(np.vdot(weights, along), found, rtol=1e-4)


@pytest.mark.parametrize("name", sorted(REVERSE_ONLY))
def test_second_derivatives_are_symmetric(name):
  clips, shared = _arrays(ROWS[name])
  arrays = (*clips, *shared)

  def loss(*arrays):
    return jnp.sum(jnp.tanh(ROWS[name].op(*arrays)))

  everything = tuple(range(len(arrays)))

  @jax.jit
  def hessian_times(direction):
    def slope(*arrays):
      gradients = jax.grad(loss, everything)(*arrays)
      return sum(map(jnp.vdot, gradients, direction))

    return jax.grad(slope, everything)(*arrays)

  rng = np.random.default_rng(1)
  one, other = (
    tuple(rng.standard_normal(x.shape, np.float32) for x in arrays)
    for _ in range(2)
  )
  found, wanted = (
    sum(map(np.vdot, hessian_times(x), y))
    for x, y in ((one, other), (other, one))
  )
  np.testing.assert_allclose(found, wanted, rtol=1e-3)


@pytest.mark.parametrize("name", sorted(REVERSE_ONLY))
def test_forward_mode_is_refused(name):
  clips, shared = _arrays(ROWS[name])
  with pytest.raises(TypeError, match="forward-mode"):
    jax.jvp(ROWS[name].op, (*clips, *shared), (*clips, *shared))
