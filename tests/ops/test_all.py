"""Properties of every operator."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import ops
from temporal_jax.ops import shape_checks
from tests.support.examples import draw_arrays, operator_examples
from tests.support.public_names import public_names

EVERY = operator_examples()
EXAMPLES = {
  name: example
  for name, example in EVERY.items()
  if example.laws and not example.lowering
}
_ATTENTIONS = (
  ops.attention,
  ops.spatial_attention,
  ops.temporal_attention,
  ops.joint_attention,
  ops.space_time_mixing_attention,
)
_X = np.ones((1, 4, 6, 6, 4), np.float32)
_KERNEL = np.ones((3, 3, 4, 4), np.float32)
REVERSE_ONLY = [name for name, example in EXAMPLES.items() if example.reverse_only]


@pytest.fixture(params=EXAMPLES, ids=str)
def example(request):
  return EXAMPLES[request.param]


def _near(got, want, tolerance):
  got, want = (np.asarray(x, np.float64) for x in (got, want))
  assert np.linalg.norm(got - want) <= tolerance * np.linalg.norm(want)


def test_no_operator_is_missing():
  whole = {name for name, example in EVERY.items() if not example.lowering}
  assert {name.split()[0] for name in whole} == set(public_names(ops))


@pytest.mark.parametrize("batch", [1, 2])  # XLA drops axes of one.
def test_jit_is_eager(example, batch):
  clips, shared = draw_arrays(example, batch)
  _near(jax.jit(example.op)(*clips, *shared), example.op(*clips, *shared), 1e-6)


def test_clips_are_apart(example):
  """A batch is its clips one by one, also under vmap."""
  clips, shared = draw_arrays(example)
  whole = example.op(*clips, *shared)
  each = [
    example.op(*(clip[i : i + 1] for clip in clips), *shared)[0] for i in range(2)
  ]
  _near(np.stack(each), whole, 1e-6)
  mapped = jax.vmap(lambda *clips: example.op(*(c[None] for c in clips), *shared)[0])
  _near(mapped(*clips), whole, 1e-6)


@pytest.mark.parametrize("frames", [1, 2])
def test_short_clips_work(example, frames):
  clips, shared = draw_arrays(example, frames=frames)
  assert np.isfinite(example.op(*clips, *shared)).all()


def test_bfloat16_stays_near_and_keeps_its_dtype(example):
  clips, shared = draw_arrays(example)
  halves = [jnp.asarray(array, jnp.bfloat16) for array in (*clips, *shared)]
  half = example.op(*halves)
  assert half.dtype == jnp.bfloat16
  _near(half, example.op(*clips, *shared), 3e-2)


def test_gradients_are_finite(example):
  clips, shared = draw_arrays(example)

  def loss(*arrays):
    return jnp.sum(jnp.square(example.op(*arrays)))

  count = len(clips) + len(shared)
  for gradient in jax.grad(loss, argnums=tuple(range(count)))(*clips, *shared):
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


def test_reversing_time_changes_temporal_operators_alone(example):
  """Backwards in is backwards out, unless past and future are told apart."""
  clips, shared = draw_arrays(example)
  forth = np.asarray(example.op(*clips, *shared))
  back = example.op(*(clip[:, ::-1] for clip in clips), *shared)
  back = np.asarray(back)[:, ::-1]
  change = np.linalg.norm(forth - back) / np.linalg.norm(forth)
  assert change > 0.1 if example.temporal else change < 1e-5


@pytest.mark.parametrize("name", [n for n in EXAMPLES if n not in REVERSE_ONLY])
def test_forward_mode_agrees_with_reverse_mode(name):
  clips, shared = draw_arrays(EXAMPLES[name])
  arrays = (*clips, *shared)
  tangents = [np.roll(array, 1).astype(np.float32) for array in arrays]
  out, along = jax.jvp(EXAMPLES[name].op, arrays, tuple(tangents))
  weights = np.random.default_rng(1).standard_normal(out.shape, np.float32)
  gradients = jax.vjp(EXAMPLES[name].op, *arrays)[1](weights)
  found = sum(map(np.vdot, gradients, tangents))
  np.testing.assert_allclose(np.vdot(weights, along), found, rtol=1e-4)


@pytest.mark.parametrize("name", REVERSE_ONLY)
def test_second_derivatives_are_symmetric(name):
  clips, shared = draw_arrays(EXAMPLES[name])
  arrays = (*clips, *shared)

  def loss(*arrays):
    return jnp.sum(jnp.tanh(EXAMPLES[name].op(*arrays)))

  everything = tuple(range(len(arrays)))

  @jax.jit
  def hessian_times(direction):
    def slope(*arrays):
      gradients = jax.grad(loss, everything)(*arrays)
      return sum(map(jnp.vdot, gradients, direction))

    return jax.grad(slope, everything)(*arrays)

  rng = np.random.default_rng(1)
  one, other = (
    tuple(rng.standard_normal(x.shape, np.float32) for x in arrays) for _ in range(2)
  )
  found, wanted = (
    sum(map(np.vdot, hessian_times(x), y)) for x, y in ((one, other), (other, one))
  )
  np.testing.assert_allclose(found, wanted, rtol=1e-3)


@pytest.mark.parametrize("name", REVERSE_ONLY)
def test_forward_mode_is_refused(name):
  clips, shared = draw_arrays(EXAMPLES[name])
  with pytest.raises(TypeError, match="forward-mode"):
    jax.jvp(EXAMPLES[name].op, (*clips, *shared), (*clips, *shared))


@pytest.mark.parametrize("name", EVERY)
def test_integers_are_refused(name):
  """They would truncate weights and results."""
  clips, shared = draw_arrays(EVERY[name])
  integers = [np.ones(clip.shape, np.int32) for clip in clips]
  with pytest.raises(ValueError, match=r"must be floating point.* got int32"):
    EVERY[name].op(*integers, *shared)


@pytest.mark.parametrize(
  ("op", "argument"),
  [
    *((op, name) for op in _ATTENTIONS for name in ("q", "k", "v")),
    *((op, name) for op in (ops.merge_pairs, ops.alignment_loss) for name in "xy"),
  ],
  ids=lambda value: getattr(value, "__name__", value),
)
def test_each_array_is_checked_under_its_name(op, argument):
  names = ("q", "k", "v") if op in _ATTENTIONS else ("x", "y")
  arrays = {name: jnp.ones((2, 3, 4, 2, 4)) for name in names}
  arrays[argument] = arrays[argument].astype(jnp.int32)
  with pytest.raises(ValueError, match=f"{argument} must be floating point, got int32"):
    op(*arrays.values())


# Operator without its numbers -> its numbers with the least value of each.
_NUMBERS = {
  "adaptive_convolution": (
    functools.partial(ops.adaptive_convolution, _X, _KERNEL, _X[:, :, 0, 0]),
    {"stride": 1, "time_stride": 1, "padding": 0, "dilation": 1, "groups": 1},
  ),
  "adaptive_convolution spatial": (
    functools.partial(
      ops.adaptive_convolution, _X, _KERNEL, _X[:, :, :3, :3, 0], axis="spatial"
    ),
    {"stride": 1, "time_stride": 1, "padding": 0, "dilation": 1, "groups": 1},
  ),
  "convolution_2d": (
    functools.partial(ops.convolution_2d, _X, _KERNEL),
    {"stride": 1, "padding": 0, "dilation": 1, "groups": 1},
  ),
  "convolution_3d": (
    functools.partial(ops.convolution_3d, _X, _KERNEL[None]),
    {"stride": 1, "time_stride": 1, "padding": 0},
  ),
  "depthwise_convolution_2d": (
    functools.partial(ops.depthwise_convolution_2d, _X, _KERNEL[:, :, 0]),
    {"stride": 1, "padding": 0, "dilation": 1},
  ),
  "depthwise_temporal_convolution": (
    functools.partial(ops.depthwise_temporal_convolution, _X, _KERNEL[0, :, 0]),
    {"stride": 1},
  ),
  "temporal_convolution": (
    functools.partial(ops.temporal_convolution, _X, _KERNEL[0]),
    {"stride": 1, "groups": 1},
  ),
  "patch_embedding": (
    functools.partial(ops.patch_embedding, _X, _KERNEL[None]),
    {"temporal_stride": 1, "temporal_padding": 0},
  ),
  "max_pool_2d": (
    lambda **numbers: ops.max_pool_2d(_X, **{"size": 3, "stride": 1, **numbers}),
    {"size": 1, "stride": 1, "padding": 0},
  ),
  "average_pool_2d": (
    lambda **numbers: ops.average_pool_2d(_X, **{"size": 3, "stride": 1, **numbers}),
    {"size": 1, "stride": 1, "padding": 0},
  ),
  "temporal_pooling": (functools.partial(ops.temporal_pooling, _X), {"stride": 1}),
  "temporal_shift": (
    functools.partial(ops.temporal_shift, _X),
    {"fold_div": 1, "window": 1},
  ),
  "drop_path": (
    functools.partial(ops.drop_path, jax.random.key(0), _X, rate=0.5),
    {"num_frames": 1},
  ),
  "rotary_embedding": (
    functools.partial(ops.rotary_embedding, _X, grid=(2, 3)),
    {"leading": 0},
  ),
  "space_time_rotary_embedding": (
    functools.partial(ops.space_time_rotary_embedding, _X.repeat(2, -1), grid=(2, 3)),
    {"leading": 0},
  ),
}


@pytest.mark.parametrize(
  ("name", "argument", "low"),
  [(name, *number) for name, (_, lows) in _NUMBERS.items() for number in lows.items()],
)
def test_numbers_out_of_range_are_refused(name, argument, low):
  op, _ = _NUMBERS[name]
  for value in (low - 1, -3, 1.5):
    words = f"{argument} must be an integer of at least {low}, got {value}"
    with pytest.raises(ValueError, match=words):
      op(**{argument: value})


@pytest.mark.parametrize("size", [(0, 2), (2.0, 2), (3,), (True, 4)])
@pytest.mark.parametrize("op", [ops.resize_bicubic, ops.alignment_mask])
def test_other_sizes_of_maps_are_refused(op, size):
  with pytest.raises(ValueError, match="size must be"):
    op(_X[..., :2], size=size)


def test_true_is_no_odd_number():
  with pytest.raises(ValueError, match="length must be odd and positive, got True"):
    shape_checks.odd("length", True)
  shape_checks.odd("length", np.int64(3))
