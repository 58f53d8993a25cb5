"""Whole networks of the TAda repository on the shared backbones."""

import functools

import jax

from convert_weights.formats import tada
from temporal_jax import layers, ops
from temporal_jax.models import ConvNeXt, ResNet, Temporal
from tests.golden.arguments import UnsupportedError
from tests.golden.reference import Reference
from tests.golden.references.resnet3d import RESNET3D
from tests.golden.references.tada import pooling
from tests.golden.references.tada_settings import head, ignore_settings

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


def _check_filters(backbone, widths):
  if backbone["NUM_FILTERS"] != widths:
    raise UnsupportedError(f"NUM_FILTERS={backbone['NUM_FILTERS']!r}")


def _tada2d(constructor):
  ignore_settings(constructor)
  backbone = constructor["VIDEO"]["BACKBONE"]
  branch = backbone["BRANCH"]
  backbone["STEM"].only("NAME", "Base2DStem")
  backbone.only("EXPANSION_RATIO", 4)
  backbone.only("KERNEL_SIZE", [[1, 7, 7], *[[1, 3, 3]] * 4])
  backbone.only("DOWNSAMPLING_TEMPORAL", [False] * 5)
  if not backbone["DOWNSAMPLING"][0]:
    raise UnsupportedError("DOWNSAMPLING[0]=False")
  width = backbone["NUM_FILTERS"][0]
  _check_filters(backbone, [width, *(4 * width * 2**i for i in range(4))])
  num_classes, dropout = head(constructor, "BaseHead")
  route = functools.partial(
    layers.RouteMlp,
    ratio=branch["ROUTE_FUNC_R"],
    taps=tuple(branch["ROUTE_FUNC_K"]),
  )
  return ResNet(
    num_classes,
    _STAGE_SIZES[backbone["DEPTH"]],
    "bottleneck",
    width,
    dropout=dropout,
    stem="7x7",
    average_first=True,
    strides=[2 if strided else 1 for strided in backbone["DOWNSAMPLING"][1:]],
    temporal=Temporal(
      convolution=functools.partial(layers.AdaptiveConv, route=route),
      after_convolution=functools.partial(
        layers.StridedTemporalPooling, **pooling(branch, "POOL_K")
      ),
    ),
  )


def _convnext(constructor):
  ignore_settings(constructor)
  num_classes, dropout = head(constructor, "BaseHead")
  backbone = constructor["VIDEO"]["BACKBONE"]
  branch, stem = backbone["BRANCH"], backbone["STEM"]
  branch.only("NAME", "TAdaConvNeXtV2Block")
  stem.ignore("NAME")
  unused = ("KERNEL_SIZE", "DOWNSAMPLING", "DOWNSAMPLING_TEMPORAL")
  backbone.ignore(*unused, "EXPANSION_RATIO")
  route = functools.partial(
    layers.RouteAttention,
    ratio=branch["ROUTE_FUNC_R"],
    taps=tuple(branch["ROUTE_FUNC_K"]),
    head_width=branch["HEAD_DIM"],
    bias=True,
  )
  return ConvNeXt(
    num_classes,
    tuple(backbone["DEPTH"]),
    tuple(backbone["NUM_FILTERS"]),
    layer_scale=backbone["LARGE_SCALE_INIT_VALUE"],
    drop_path=backbone["DROP_PATH"],
    dropout=dropout,
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
