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
  """Facts of the kernel that both sides need to convert it."""
  groups = constructor["groups"]
  constructor.ignore("in_channels")  # Those of the input.
  channels = constructor["in_channels"], constructor["out_channels"]
  taps = constructor["kernel_size"][0]
  return {
    "taps": taps,
    "size": constructor.square("kernel_size", time=taps),
    "depthwise": 1 < groups == channels[0] == channels[1],
  }


def _conv(constructor, route=None):
  kernel = _kernel(constructor)
  return functools.partial(
    layers.AdaptiveConv,
    constructor["out_channels"],
    kernel["size"],
    constructor.square("stride"),
    taps=kernel["taps"],
    padding=constructor.square("padding", time=kernel["taps"] // 2),
    dilation=constructor.square("dilation"),
    groups=constructor["groups"],
    axis=_AXES[constructor["cal_dim"]],
    use_bias=constructor["bias"],
    route=route,
  )


def _given_rules(constructor):
  rules = tada_parts.adaptive_conv(**_kernel(constructor), bias=constructor["bias"])
  return under(rules, "conv", "")


def _given(constructor):
  return _GivenCalibration(_conv(constructor)())


def _route_mlp(constructor):
  constructor.ignore("c_in")
  _check_norms(constructor)
  return layers.RouteMlp(ratio=constructor["ratio"], taps=tuple(constructor["kernels"]))


def _check_norms(constructor):
  constructor.only("bn_eps", 1e-5)
  for name in ("bn_mmt", "bn_momentum"):
    constructor.only(name, 0.1)


def _route_attention(constructor):
  constructor.ignore("c_in", "bn_eps", "bn_mmt")  # It has no batch norm.
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
  constructor.only("stride", 1, [1, 1, 1])
  if not constructor["internal_rf_func"]:
    constructor.only("internal_temp_aggr", False)
    constructor.ignore("rf_r", "rf_k", "head_dim")
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
  constructor.ignore("dim_in")
  constructor.only("expansion_ratio", 4)
  constructor.only("kernel_size", [1, 3, 3])
  _check_norms(constructor)
  route = functools.partial(
    layers.RouteMlp,
    ratio=constructor["route_func_r"],
    taps=tuple(constructor["route_func_k"]),
  )
  temporal = models.Temporal(
    convolution=functools.partial(layers.AdaptiveConv, route=route),
    after_convolution=functools.partial(
      layers.StridedTemporalPooling, **pooling(constructor, "pool_k")
    ),
  )
  return block(
    constructor["num_filters"] // 4,
    constructor.square("stride"),
    temporal=temporal,
  )


def pooling(constructor, key):
  """Frames and side of the window of TAda2D's pooling."""
  size = constructor[key][0]
  return {"size": size, "space": constructor.square(key, time=size)}


def _convnext(constructor):
  constructor.ignore("dim")
  constructor.only("drop_path", 0.0)
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
  return ConvNeXtBlock(
    constructor.square("kernel"), activation=ops.quick_gelu, temporal=temporal
  )


def _transformer(constructor):
  constructor.ignore("d_model")
  for name in ("attn_dropout", "drop_path"):
    constructor.only(name, 0.0)
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


def _channel_norm(constructor):
  constructor.ignore("normalized_shape", "data_format")
  return layers.LayerNorm(epsilon=constructor["eps"])


_ADAPTIVE_CONV = Reference(
  build=_given,
  axes={**_CALIBRATIONS, **_MAPS},
  rules=_given_rules,
  name_outputs=first,
)


REFERENCES = {
  (f"{_OPS}/tadaconv.py", "TAdaConv2d"): _ADAPTIVE_CONV,
  (f"{_OPS}/tadaconv.py", "TAdaConv3d"): _ADAPTIVE_CONV,
  (f"{_OPS}/tadaconv.py", "RouteFuncMLP"): Reference(
    build=_route_mlp,
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
    build=_channel_norm,
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
