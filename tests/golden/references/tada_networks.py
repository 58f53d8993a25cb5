"""Whole networks of the TAda repository on the shared backbones."""

import functools

import jax

from convert_weights.formats import tada
from temporal_jax import layers, ops
from temporal_jax.models import ConvNeXt, ResNet, Temporal
from tests.golden.reference import Reference
from tests.golden.references.resnet3d import RESNET3D

_FILE = "tadaconv/models/base/models.py"
_AXES = {
  "x": "n t h w c",
  "logits": "n classes",
  "probabilities": "n classes",
  "pooled": "n c",
}
_STAGE_SIZES = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def _name_outputs(out):
  logits, aux = out
  return {
    "logits": logits,
    "probabilities": jax.nn.softmax(logits),
    "pooled": aux["features"],
  }


def _tada2d(constructor):
  backbone = constructor["VIDEO"]["BACKBONE"]
  branch = backbone["BRANCH"]
  route = functools.partial(
    layers.RouteMlp,
    ratio=branch["ROUTE_FUNC_R"],
    taps=tuple(branch["ROUTE_FUNC_K"]),
  )
  return ResNet(
    constructor["VIDEO"]["HEAD"]["NUM_CLASSES"],
    _STAGE_SIZES[backbone["DEPTH"]],
    "bottleneck",
    backbone["NUM_FILTERS"][1] // backbone["EXPANSION_RATIO"],
    stem="7x7",
    average_first=True,
    strides=[2 if strided else 1 for strided in backbone["DOWNSAMPLING"][1:]],
    temporal=Temporal(
      convolution=functools.partial(layers.AdaptiveConv, route=route),
      after_convolution=functools.partial(
        layers.StridedTemporalPooling, size=branch["POOL_K"][0]
      ),
    ),
  )


def _convnext(constructor):
  backbone = constructor["VIDEO"]["BACKBONE"]
  branch, stem = backbone["BRANCH"], backbone["STEM"]
  route = functools.partial(
    layers.RouteAttention,
    ratio=branch["ROUTE_FUNC_R"],
    taps=tuple(branch["ROUTE_FUNC_K"]),
    head_width=branch["HEAD_DIM"],
    bias=True,
  )
  return ConvNeXt(
    constructor["VIDEO"]["HEAD"]["NUM_CLASSES"],
    backbone["DEPTH"],
    backbone["NUM_FILTERS"],
    tubelet=(stem["T_KERNEL_SIZE"], stem["T_STRIDE"]),
    activation=ops.quick_gelu,
    temporal=Temporal(
      convolution=functools.partial(
        layers.AdaptiveConv, axis="out", use_bias=True, route=route
      ),
      after_convolution=functools.partial(layers.StridedTemporalPooling, norm="layer"),
    ),
    average_first=True,
  )


_TADA2D = Reference(
  build=_tada2d,
  axes=_AXES,
  rules=lambda c: tada.resnet(),
  name_outputs=_name_outputs,
)


def _of_branch(constructor):
  """One class of the source is three networks, by the name of its branch."""
  branch = constructor["VIDEO"]["BACKBONE"]["BRANCH"]["NAME"]
  return _TADA2D if branch == "TAda2DBlock" else RESNET3D


REFERENCES = {
  (_FILE, "BaseVideoModel(ResNet3D)"): Reference(
    build=lambda c: _of_branch(c).build(c),
    axes=_AXES,
    rules=lambda c: _of_branch(c).rules(c),
    name_outputs=_name_outputs,
  ),
  (_FILE, "BaseVideoModel(ConvNeXt)"): Reference(
    build=_convnext,
    axes=_AXES,
    rules=lambda c: tada.convnext_net(),
    name_outputs=_name_outputs,
  ),
}
