"""TAdaConv, its route functions and the blocks built of it."""

import functools

import flax.linen as nn

from convert_weights.formats import tada_parts
from convert_weights.rules import under
from temporal_jax import layers, models, ops
from temporal_jax.models.backbones.convnext import ConvNeXtBlock
from temporal_jax.models.blocks.residual import BottleneckBlock
from temporal_jax.models.blocks.transformer import TransformerBlock
from tests.golden.reference import Reference, first, stateless

_OPS = "tadaconv/models/module_zoo/ops"
_BRANCHES = "tadaconv/models/module_zoo/branches"
_AXES = {"cin": "in", "cout": "out"}
_MAPS = {"x": "n t h w c", "out": "n t h w c"}
_CALIBRATIONS = {name: "n t c" for name in ("alpha", "w_alpha", "b_alpha", "out")}


class _GivenCalibration(nn.Module):
  """Calls an `AdaptiveConv` with calibrations that are inputs."""

  conv: nn.Module

  def __call__(self, x, of_kernel, of_bias=None, *, train=False):
    given = of_kernel if of_bias is None else (of_kernel, of_bias)
    return self.conv(x, train, calibration=given)


class _BranchOnly(BottleneckBlock):
  """A bottleneck without its shortcut."""

  def merge(self, branch, x, branch_input, train):
    del x, branch_input, train
    return branch


def _kernel(constructor):
  """What both sides must know of the kernel to convert it."""
  groups = constructor["groups"]
  channels = constructor["in_channels"], constructor["out_channels"]
  return {
    "taps": constructor["kernel_size"][0],
    "size": constructor["kernel_size"][2],
    "depthwise": 1 < groups == channels[0] == channels[1],
  }


def _conv(constructor, route=None):
  return functools.partial(
    layers.AdaptiveConv,
    constructor["out_channels"],
    constructor["kernel_size"][2],
    constructor.get("stride", [1])[-1],
    taps=constructor["kernel_size"][0],
    padding=constructor["padding"][2],
    dilation=constructor.get("dilation", [1])[-1],
    groups=constructor["groups"],
    axis=_AXES[constructor["cal_dim"]],
    use_bias=constructor["bias"],
    route=route,
  )


def _given_rules(constructor):
  rules = tada_parts.adaptive_conv(**_kernel(constructor), bias=constructor["bias"])
  return under(rules, "conv", "")


def _route_attention(constructor):
  return layers.RouteAttention(
    ratio=constructor["ratio"],
    taps=tuple(constructor["kernels"]),
    head_width=constructor["head_dim"],
    bias=constructor["with_bias_cal"],
    identity_init=constructor["zero_init_cal"],
  )


def _name_calibrations(out):
  if not isinstance(out, tuple):
    return {"out": out}
  return {"w_alpha": out[0], "b_alpha": out[1]}


def _second_version(constructor):
  """`TAdaConv2dV2`, whose parts can be left out."""
  if not constructor["internal_rf_func"]:
    return _GivenCalibration(_conv(constructor)())
  route = functools.partial(
    layers.RouteAttention,
    ratio=constructor["rf_r"],
    taps=tuple(constructor["rf_k"]),
    head_width=constructor["head_dim"],
    bias=constructor["bias"],
    identity_init=False,
  )
  conv = _conv(constructor, route)
  if constructor["internal_temp_aggr"]:
    return layers.AggregatedConv(conv)
  return conv()


def _second_version_rules(constructor):
  if not constructor["internal_rf_func"]:
    return _given_rules(constructor)
  if constructor["internal_temp_aggr"]:
    return tada_parts.aggregated_conv(**_kernel(constructor))
  return tada_parts.routed_conv(**_kernel(constructor))


def _bottleneck(constructor, block=BottleneckBlock):
  route = functools.partial(
    layers.RouteMlp,
    ratio=constructor["route_func_r"],
    taps=tuple(constructor["route_func_k"]),
  )
  temporal = models.Temporal(
    convolution=functools.partial(layers.AdaptiveConv, route=route),
    after_convolution=functools.partial(
      layers.StridedTemporalPooling, size=constructor["pool_k"][0]
    ),
  )
  return block(
    constructor["num_filters"] // constructor["expansion_ratio"],
    constructor["stride"][-1],
    temporal=temporal,
  )


def _convnext(constructor):
  route = functools.partial(
    layers.RouteAttention,
    ratio=constructor["route_func_r"],
    taps=tuple(constructor["route_func_k"]),
    head_width=constructor["head_dim"],
    bias=True,
  )
  temporal = models.Temporal(
    convolution=functools.partial(
      layers.AdaptiveConv, axis="out", use_bias=True, route=route
    ),
    after_convolution=functools.partial(layers.StridedTemporalPooling, norm="layer"),
  )
  return ConvNeXtBlock(activation=ops.quick_gelu, temporal=temporal)


def _transformer(constructor):
  branch = functools.partial(
    layers.AdaptiveBranch,
    reduction=constructor["reduction"],
    ratio=constructor["route_func_r"],
    head_width=constructor["route_head_dim"],
    route_taps=tuple(constructor["route_func_k"]),
    temporal_projection=constructor["temp_enhance"],
  )
  temporal = models.Temporal(
    attention_branch=branch,
    mlp_branch=branch if constructor["double_tada"] else None,
  )
  return TransformerBlock(constructor["n_head"], temporal=temporal)


_ADAPTIVE_CONV = Reference(
  build=lambda c: _GivenCalibration(_conv(c)()),
  axes={**_CALIBRATIONS, **_MAPS},
  rules=_given_rules,
  name_outputs=first,
)


REFERENCES = {
  (f"{_OPS}/tadaconv.py", "TAdaConv2d"): _ADAPTIVE_CONV,
  (f"{_OPS}/tadaconv.py", "TAdaConv3d"): _ADAPTIVE_CONV,
  (f"{_OPS}/tadaconv.py", "RouteFuncMLP"): Reference(
    build=lambda c: layers.RouteMlp(ratio=c["ratio"], taps=tuple(c["kernels"])),
    axes={"x": "n t h w c", **_CALIBRATIONS},
    rules=lambda c: tada_parts.route_mlp(),
  ),
  (f"{_OPS}/tadaconv_v2.py", "RouteFuncwTransformer"): Reference(
    build=_route_attention,
    axes={"x": "n t h w c", **_CALIBRATIONS},
    rules=lambda c: tada_parts.route_attention(),
    name_outputs=_name_calibrations,
  ),
  (f"{_OPS}/tadaconv_v2.py", "TAdaConv2dV2"): Reference(
    build=_second_version,
    axes={**_CALIBRATIONS, **_MAPS},
    rules=_second_version_rules,
    sizes=lambda c: {"t": c["num_frames"]},
    name_outputs=first,
  ),
  (f"{_OPS}/misc.py", "LayerNorm"): Reference(
    build=lambda c: layers.LayerNorm(epsilon=c["eps"]),
    axes=_MAPS,
    rules=lambda c: tada_parts.channel_norm(),
    call=stateless,
  ),
  (f"{_BRANCHES}/tada_branch.py", "TAda2DBlock"): Reference(
    build=functools.partial(_bottleneck, block=_BranchOnly),
    axes=_MAPS,
    rules=lambda c: tada_parts.bottleneck_branch(),
    name_outputs=first,
  ),
  (
    "tadaconv/models/base/base_blocks.py",
    "Base3DBlock(TAda2DBlock)",
  ): Reference(
    build=_bottleneck,
    axes=_MAPS,
    rules=lambda c: tada_parts.bottleneck(),
    name_outputs=first,
  ),
  (f"{_BRANCHES}/tadaconvnextv2.py", "TAdaConvNeXtV2Block"): Reference(
    build=_convnext,
    axes=_MAPS,
    rules=lambda c: tada_parts.convnext_block(),
    name_outputs=first,
  ),
  (f"{_BRANCHES}/tadaformer.py", "TAdaFormerBlock"): Reference(
    build=_transformer,
    axes={"x": "n t l c", "out": "n t l c"},
    rules=lambda c: tada_parts.transformer_block(temporal_projection=c["temp_enhance"]),
    sizes=lambda c: {"t": c["num_frames"]},
    name_outputs=first,
  ),
}
