"""Operators and networks whose cost is measured at several sizes."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from benchmarks.cases.modules import MODULES
from benchmarks.cases.operator_case import OperatorCase
from benchmarks.cases.operators import OPERATORS
from temporal_jax import create_model, layers, ops
from temporal_jax.layers.attention import HEAD_WIDTH
from temporal_jax.models import find_model
from temporal_jax.models.catalog.counted_costs import NUM_CLASSES
from temporal_jax.models.inspect import count


class Sizes(NamedTuple):
  """Sizes of a program.

  Attributes:
    batch: Clips, B.
    frames: Frames of a clip, T.
    side: Rows and columns of features, or pixels of a network's frames.
    width: Channels, D.
  """

  batch: int = 1
  frames: int = 8
  side: int = 14
  width: int = 768

  @property
  def places(self) -> int:
    """Places of a frame, H W."""
    return self.side**2


# Axis, an attribute of `Sizes` -> the field that changes it.
AXES: Mapping[str, str] = MappingProxyType(
  {"frames": "frames", "places": "side", "width": "width", "batch": "batch"}
)
KINDS = ("operator", "case", "network")
_FRAMES = (4, 8, 16, 32, 64)
_BATCHES = (1, 2, 4, 8)


class Program(NamedTuple):
  """A function, and the shapes of its arguments."""

  function: Callable[..., Any]
  shapes: Sequence[Any]


class Subject(NamedTuple):
  """An operator or a network.

  Attributes:
    kind: One of `KINDS`; a case is an operator at the sizes of a paper's
      network.
    program: Returns the program of some sizes.
    base: Sizes from which each axis goes out.
    axes: Values by the name of the axis, see `AXES`.
    case: The case, where it is one.
  """

  kind: str
  program: Callable[[Sizes], Program]
  base: Sizes
  axes: Mapping[str, Sequence[int]]
  case: OperatorCase | None = None

  def sizes(self, axis: str, points: int | None = None) -> list[Sizes]:
    """Returns the sizes along an axis, only the first `points` if given."""
    values = self.axes.get(axis, ())[:points]
    return [self.base._replace(**{AXES[axis]: value}) for value in values]


def _array(*shape: int) -> jax.ShapeDtypeStruct:
  return jax.ShapeDtypeStruct(shape, jnp.float32)


def _tokens(s: Sizes) -> jax.ShapeDtypeStruct:
  return _array(s.batch, s.frames, s.places, s.width)


def _split(x: jax.Array) -> jax.Array:
  """Splits tokens (..., D) into heads (..., M, d)."""
  return x.reshape(*x.shape[:-1], x.shape[-1] // HEAD_WIDTH, HEAD_WIDTH)


def _attention(function: Callable[..., jax.Array]) -> Callable[[Sizes], Program]:
  """Returns the programs of an attention over heads (B, T, N, M, d)."""

  def program(s: Sizes) -> Program:
    heads = (s.width // HEAD_WIDTH, HEAD_WIDTH)
    return Program(function, [_array(s.batch, s.frames, s.places, *heads)] * 3)

  return program


def _divided(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
  """Attends over time, then within frames (TimeSformer)."""
  return ops.spatial_attention(ops.temporal_attention(q, k, v), k, v)


def _aligned(x: jax.Array) -> jax.Array:
  """Attends along the paths of patches, then within frames (ATA)."""
  order = ops.match_patches(x)
  y = _split(ops.permute_patches(x, order))
  y = ops.temporal_attention(y, y, y).reshape(x.shape)  # (B, T, N, D)
  y = _split(ops.permute_patches(y, order, inverse=True))
  return ops.spatial_attention(y, y, y)


def _summarised(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
  """Attends within frames, and to the summaries of all frames (X-ViT)."""
  k, v = (_split(ops.append_summaries(x, x)) for x in (k, v))
  return ops.spatial_attention(_split(q), k, v)


def _messages(s: Sizes) -> Program:
  """Attends among the frames' messages (X-CLIP)."""
  heads = (s.width // HEAD_WIDTH, HEAD_WIDTH)
  return Program(ops.attention, [_array(s.batch, s.frames, *heads)] * 3)


def _module(module: nn.Module, *inputs: jax.ShapeDtypeStruct) -> Program:
  """Returns the program of a layer with its variables."""
  variables = jax.eval_shape(module.init, jax.random.key(0), *inputs)

  def function(variables, *inputs):
    return module.apply(variables, *inputs)[0]

  return Program(function, (variables, *inputs))


def _alignment(s: Sizes) -> Program:
  """Aligns neighbouring frames (ILA), without the layers around it."""
  pairs = _array(s.batch, s.frames - 1, s.places + 1, s.width)
  class_token = _array(s.batch, s.frames, 1, s.width)
  return _module(layers.PairAlignment(), pairs, pairs, class_token)


def _maps(s: Sizes) -> jax.ShapeDtypeStruct:
  return _array(s.batch, s.frames, s.side, s.side, s.width)


def _adaptive(s: Sizes) -> Program:
  """Convolves with calibrated kernels, and computes these calibrations."""
  return _module(layers.AdaptiveConv(s.width), _maps(s))


def _factorised(s: Sizes) -> Program:
  """Convolves over space and then along time, (2+1)D."""

  def function(x, over_space, along_time):
    x = ops.convolution_2d(x, over_space, padding=1)
    return ops.temporal_convolution(x, along_time)

  kernels = (_array(3, 3, s.width, s.width), _array(3, s.width, s.width))
  return Program(function, (_maps(s), *kernels))


_PATCHES = Sizes()
# The example of table 1 of TAdaConv.
_CONVOLUTION = {
  "base": Sizes(side=56, width=64),
  "places": (14, 28, 56, 112),
  "width": (64, 128, 256, 512),
}
# Frames of 7 x 7: all pairs of 64 frames of 14 x 14 would take 8 GB.
_SMALL = Sizes(frames=4, side=7)


def _operator(
  program: Callable[[Sizes], Program], base: Sizes = _PATCHES, **axes: Sequence[int]
) -> Subject:
  grown = {
    "frames": _FRAMES,
    "places": (7, 10, 14, 20, 28),
    "width": (192, 384, 768, 1536),
    "batch": _BATCHES,
  }
  return Subject("operator", program, base, {**grown, **axes})


def _case(case: OperatorCase) -> Subject:
  def program(s: Sizes) -> Program:
    arrays = case.arrays_of(s.frames, s.batch)
    return Program(case.ours, [_array(*array.shape) for array in arrays])

  axes = {"frames": _FRAMES, "batch": _BATCHES}
  return Subject("case", program, Sizes(frames=case.frames), axes, case)


def _network(name: str, *, wider: str = "") -> Subject:
  """Returns a network of the catalog.

  Args:
    name: Name in the catalog.
    wider: Argument of its class for the channels, "" for none that can change.
  """
  frames, side, _ = find_model(name).clip_shape

  def program(s: Sizes) -> Program:
    arguments = {}
    if wider and s.width != base.width:
      arguments = {wider: s.width}
      if base.width == 768:  # A transformer, with heads of 64 channels.
        arguments["num_heads"] = s.width // HEAD_WIDTH
    network = create_model(
      name,
      num_classes=NUM_CLASSES,
      num_frames=s.frames,
      image_size=s.side,
      **arguments,
    )
    shape = (s.frames, s.side, s.side)
    clip, *texts = count.abstract_inputs(network, shape, NUM_CLASSES)
    clip = _array(s.batch, *clip.shape[1:])
    return _module(network, clip, *texts)

  widths = {768: (192, 384, 768), 64: (32, 64, 128)}
  base = Sizes(frames=frames, side=side, width=64 if "resnet" in name else 768)
  axes = {"frames": _FRAMES, "places": (128, 224, 448), "batch": (1, 2, 4)}
  if wider:
    axes["width"] = widths[base.width]
  return Subject("network", program, base, axes)


SUBJECTS: Mapping[str, Subject] = MappingProxyType(
  {
    "spatial attention": _operator(_attention(ops.spatial_attention)),
    "joint attention": _operator(_attention(ops.joint_attention), _SMALL),
    "divided attention": _operator(_attention(_divided)),
    "temporal attention": _operator(_attention(ops.temporal_attention)),
    "ATA": _operator(lambda s: Program(_aligned, [_tokens(s)])),
    "messages of X-CLIP": _operator(_messages, places=()),
    "alignment of ILA": _operator(_alignment),
    "space-time mixing": _operator(_attention(ops.space_time_mixing_attention)),
    "space-time mixing, summaries": _operator(
      lambda s: Program(_summarised, [_tokens(s)] * 3)
    ),
    "TAdaConv": _operator(_adaptive, **_CONVOLUTION),
    "(2+1)D convolution": _operator(_factorised, **_CONVOLUTION),
    **{case.name: _case(case) for case in (*OPERATORS, *MODULES)},
    **{
      name: _network(name, wider="width")
      for name in (
        "vit_b32_spatial",
        "vit_b32_joint",
        "vit_b32_divided",
        "vit_b32_ata",
        "xclip_b32",
        "ila_vit_b32",
        "timesformer_b16_joint",
        "xvit_b16",
        "atm_vit_b16",
        "tsn_resnet50",
        "tsm_resnet50",
        "aggregation_resnet50",
        "tada2d_resnet50",
      )
    },
    **{
      name: _network(name)
      for name in ("blvnet_tam_50", "tadaconvnextv2_tiny", "tadaformer_b16")
    },
  }
)
