"""Rules of the operators and blocks of alibaba-mmai-research/TAdaConv."""

from convert_weights.formats import clip
from convert_weights.rules import (
  Rule,
  batch_norm,
  conv3d_pointwise,
  conv3d_spatial,
  conv3d_temporal,
  layer_norm,
  linear,
  under,
)


def adaptive_conv(
  *, taps: int = 1, size: int = 3, depthwise: bool = False, bias: bool = False
) -> list[Rule]:
  """Rules of `AdaptiveConv` without its route function.

  The source's base weight is (1, 1, C', C / groups, [KT,] KH, KW).
  """
  channels = "o 1" if depthwise else "o i"
  if taps == 1:
    source, kernel = "h w", "h w"
  elif size == 1:
    source, kernel = "t 1 1", "t"
  else:
    source, kernel = "t h w", "t h w"
  features = "o" if depthwise else "i o"
  pattern = f"1 1 {channels} {source} -> {kernel} {features}"
  rules = [Rule("params/kernel", ("weight",), pattern)]
  if bias:
    rules.append(Rule("params/bias", ("bias",), "1 1 c -> c"))
  return rules


def route_mlp(norm: str = "batch") -> list[Rule]:
  """Rules of `RouteMlp` from a `RouteFuncMLP`, or from a `RouteFuncMLPLnGelu`.

  The second has `norm` "layer".
  """
  is_batch = norm == "batch"
  return [
    *conv3d_pointwise("context", "g"),
    *conv3d_temporal("reduce", "a", bias=True),
    *(batch_norm("norm", "bn") if is_batch else layer_norm("norm", "ln")),
    *conv3d_temporal("expand", "b"),
    *conv3d_temporal("expand_bias", "b_bias"),
  ]


def route_attention() -> list[Rule]:
  """Rules of `RouteAttention` from a `RouteFuncwTransformer`.

  In the source the heads of queries, keys and values alternate channel by
  channel; in the result they are concatenated.
  """
  qkv = "(three d m) i 1 1 1 -> i three m d"
  return [
    *conv3d_temporal("reduce", "a", bias=True),
    *layer_norm("norm", "norm"),
    *layer_norm("attention_norm", "norm_transformer"),
    Rule("params/attention/qkv/kernel", ("qkv_proj.weight",), qkv),
    Rule(
      "params/attention/qkv/bias",
      ("qkv_proj.bias",),
      "(three d m) -> three m d",
    ),
    Rule(
      "params/attention/out/kernel",
      ("attn_out.weight",),
      "o (m d) 1 1 1 -> m d o",
    ),
    Rule("params/attention/out/bias", ("attn_out.bias",), "c -> c"),
    *conv3d_temporal("expand", "b"),
    *conv3d_temporal("expand_bias", "b_bias"),
  ]


def routed_conv(**kernel: bool | int) -> list[Rule]:
  """Rules of `AdaptiveConv` with `RouteAttention` from a `TAdaConv2dV2`."""
  return [
    *adaptive_conv(bias=True, **kernel),
    *under(route_attention(), "route", "rf_func"),
  ]


def aggregated_conv(**kernel: bool | int) -> list[Rule]:
  """Rules of an `AggregatedConv` from a `TAdaConv2dV2` that aggregates."""
  return [
    *under(routed_conv(**kernel), "convolution", ""),
    *batch_norm("norm", "bn_a"),
    *batch_norm("pooling/norm", "bn_b"),
  ]


def bottleneck() -> list[Rule]:
  """Rules of a `BottleneckBlock` from a `Base3DBlock` of TAda2D."""
  return [
    *under(bottleneck_branch(), "", "conv_branch"),
    *conv3d_spatial("shortcut_conv", "short_cut"),
    *batch_norm("shortcut_norm", "short_cut_bn"),
  ]


def bottleneck_branch() -> list[Rule]:
  """Rules of a `BottleneckBlock`'s branch from a `TAda2DBlock`."""
  return [
    *conv3d_spatial("conv1", "a"),
    *batch_norm("norm1", "a_bn"),
    *under(adaptive_conv(), "conv2", "b"),
    *under(route_mlp(), "conv2/route", "b_rf"),
    *batch_norm("norm2", "b_bn"),
    *batch_norm("after_convolution/norm", "b_avgpool_bn"),
    *conv3d_spatial("conv3", "c"),
    *batch_norm("norm3", "c_bn"),
  ]


def convnext_block(route: list[Rule] | None = None) -> list[Rule]:
  """Rules of a `ConvNeXtBlock` from a `TAdaConvNeXtV2Block`.

  With the rules of another route function, from a `TAdaConvNeXtBlock`.
  """
  route = route or route_attention()
  return [
    *under(adaptive_conv(depthwise=True, bias=True), "conv", "dwconv"),
    *under(route, "conv/route", "dwconv_rf"),
    *layer_norm("norm", "norm"),
    *layer_norm("after_convolution/norm", "norm_avgpool"),
    *linear("mlp/expand", "pwconv1"),
    *linear("mlp/contract", "pwconv2"),
    Rule("params/scale/scale", ("gamma",), "c -> c"),
  ]


def transformer_block(*, temporal_projection: bool = False) -> list[Rule]:
  """Rules of a `TransformerBlock` from a `TAdaFormerBlock`."""
  branch = adaptive_branch(temporal_projection=temporal_projection)
  return [
    *clip.transformer_block(),
    *under(branch, "attention_branch", "tada"),
    *under(branch, "mlp_branch", "tada2"),
  ]


def adaptive_branch(*, temporal_projection: bool) -> list[Rule]:
  """Rules of an `AdaptiveBranch` from a `TAdaBlock`, or an enhanced one."""
  if temporal_projection:
    projections = [
      *conv3d_temporal("expand", "tada_pre_proj", bias=True),
      *conv3d_pointwise("contract", "tada_proj"),
    ]
  else:
    projections = [
      *linear("expand", "tada_pre_proj"),
      *linear("contract", "tada_proj"),
    ]
  aggregation = aggregated_conv(depthwise=True)
  return [*projections, *under(aggregation, "aggregation", "tadaconv")]


def channel_norm() -> list[Rule]:
  """Rules of a `LayerNorm` by itself."""
  return [
    Rule("params/scale", ("weight",), "c -> c"),
    Rule("params/bias", ("bias",), "c -> c"),
  ]
