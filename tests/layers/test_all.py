"""Properties of every layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers
from tests.support.examples import draw_clips, layer_examples
from tests.support.public_names import public_names

EXAMPLES = layer_examples()


@pytest.fixture(params=EXAMPLES, ids=str)
def example(request):
  return EXAMPLES[request.param]


def _loss(layer):
  def loss(variables, *clips):
    leaves = jax.tree.leaves(layer.apply(variables, *clips))
    return sum(jnp.sum(jnp.square(x)) for x in leaves)

  return loss


def test_no_layer_is_missing():
  assert {name.split()[0] for name in EXAMPLES} == set(public_names(layers))


def test_no_clips_give_no_results(example):
  """Nor gradients; nothing is NaN."""
  clips, layer = draw_clips(example), example.layer()
  shapes = jax.eval_shape(layer.init, jax.random.key(0), *clips)
  variables = jax.tree.map(lambda x: np.full(x.shape, 0.5, x.dtype), shapes)
  none = [clip[:0] for clip in clips]
  gradient = jax.grad(_loss(layer), tuple(range(1 + len(none))))
  with jax.debug_nans(True):
    got, slopes = jax.jit(lambda *x: (layer.apply(*x), gradient(*x)))(variables, *none)
  want = jax.eval_shape(layer.apply, variables, *clips)
  for found, full in zip(*map(jax.tree.leaves, (got, want)), strict=True):
    assert found.shape == ((0, *full.shape[1:]) if full.shape else ())
    assert found.dtype == full.dtype
  arrays = jax.tree.leaves((variables, *none))
  for array, slope in zip(arrays, jax.tree.leaves(slopes), strict=True):
    assert slope.shape == array.shape
    assert not np.any(slope)


def _wide(x):
  return jax.ShapeDtypeStruct(x.shape, jnp.float64)


def test_float64_is_never_narrowed(example):
  """No array of the computation or its gradients is float32."""
  with jax.enable_x64(True):
    wide = {"dtype": jnp.float64} if hasattr(example.layer(), "dtype") else {}
    layer = example.layer(**wide)
    clips = [_wide(clip) for clip in draw_clips(example)]
    variables = jax.eval_shape(layer.init, jax.random.key(0), *clips)
    assert all(x.dtype == jnp.float32 for x in jax.tree.leaves(variables))
    variables = jax.tree.map(_wide, variables)
    everything = tuple(range(1 + len(clips)))
    for function in (layer.apply, jax.grad(_loss(layer), everything)):
      assert "f32" not in str(jax.make_jaxpr(function)(variables, *clips))


# Arguments that count something, which a layer refuses below 1 by their name:
# divisors, and those that are None by default. 0 is not taken for None.
_COUNTS = {
  "AdaptiveBranch": ("reduction", "ratio", "head_width", "num_heads", "size"),
  "AdaptiveConv": ("size", "taps", "groups", "stride", "time_stride", "dilation"),
  "AdaptiveModule": ("features", "ratio"),
  "ClassTokenConvolution": ("taps", "fold_div"),
  "ClipCalibration": ("features", "ratio"),
  "Conv2D": ("size", "stride"),
  "Conv3D": ("size", "taps", "stride", "time_stride"),
  "CrossAttention": ("num_heads",),
  "CrossFrameMessage": ("num_heads",),
  "DepthwiseConv2D": ("size",),
  "FactorisedConv": ("width", "size", "taps"),
  "LearnedCalibration": ("features",),
  "Mlp": ("features",),
  "RouteAttention": ("features", "ratio", "head_width"),
  "RouteMlp": ("features", "ratio"),
  "SelfAttention": ("num_heads",),
  "TemporalAdapter": ("width", "taps"),
  "TemporalAggregation": ("taps",),
  "TemporalConv": ("taps", "groups"),
  "TemporalRelation": ("num_tuples",),
  "TemporalShift": ("segment", "window"),
}


@pytest.mark.parametrize(
  ("name", "argument"),
  [(name, argument) for name, arguments in _COUNTS.items() for argument in arguments],
)
@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_counts_below_one_are_refused_by_name(name, argument, value):
  layer = EXAMPLES[name].layer().clone(**{argument: value})
  clips = draw_clips(EXAMPLES[name])
  words = f"{argument} must be (an integer|odd).* got {value!r}"
  with pytest.raises(ValueError, match=words):
    jax.eval_shape(layer.init, jax.random.key(0), *clips)


_DIVIDED = [layers.RouteMlp, layers.RouteAttention, layers.ClipCalibration]


@pytest.mark.parametrize("route", [*_DIVIDED, layers.AdaptiveModule])
def test_a_ratio_of_more_than_the_channels_is_refused(route):
  words = r"^ratio must be at most the 3 channels of x, got 4\."
  with pytest.raises(ValueError, match=words):
    route(ratio=4).init(jax.random.key(0), np.ones((1, 2, 2, 2, 3), np.float32))
