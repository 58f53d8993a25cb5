"""Rules of the networks of alibaba-mmai-research/TAdaConv."""

from convert_weights.checkpoint_format import SKIP, CheckpointFormat, Refusal
from convert_weights.formats import convnext, resnet3d, slots, tada_parts
from convert_weights.rules import (
  Rule,
  batch_norm,
  conv3d_spatial,
  layer_norm,
  linear,
  under,
)
from temporal_jax.layers import AdaptiveBranch, AdaptiveConv, RouteMlp
from temporal_jax.models.backbones.convnext import ConvNeXt
from temporal_jax.models.backbones.resnet import ResNet
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.network import Network


def resnet() -> list[Rule]:
  """Rules of a `ResNet` with TAdaConv from a TAda2D."""
  return [
    *conv3d_spatial("stem_conv", "backbone.conv1.a"),
    *batch_norm("stem_norm", "backbone.conv1.a_bn"),
    *under(tada_parts.bottleneck(), "stage{s}_block{b}", "backbone.conv{s+1}.res_{b}"),
    *linear("head", "head.out"),
  ]


def convnext_net(route: list[Rule] | None = None) -> list[Rule]:
  """Rules of a `ConvNeXt` with TAdaConvV2 from a TAdaConvNeXtV2.

  With `route_mlp("layer")` of tada_parts as those of its route functions, from
  the TAdaConvNeXt that modelscope/modelscope publishes.
  """
  block = tada_parts.convnext_block(route)
  stem = Rule(
    "params/stem_conv/kernel",
    ("downsample_layers.0.0.weight",),
    "o i t h w -> t h w i o",
  )
  kernel = Rule(
    "params/downsample{s}_conv/kernel",
    ("downsample_layers.{s}.1.weight",),
    "o i 1 h w -> h w i o",
  )
  backbone = [
    stem,
    kernel,
    *convnext.shared(),
    *under(block, "stage{s}_block{b}", "stages.{s-1}.{b-1}"),
  ]
  return [*under(backbone, "", "backbone"), *linear("head", "head.out")]


def vision_transformer(
  *, tubelet: int = 3, temporal_projection: bool = False
) -> list[Rule]:
  """Rules of `VisionTransformer` from a `BaseVideoModel` that is TAdaFormer."""
  patches = "o i t h w -> t h w i o" if tubelet > 1 else "o i 1 h w -> h w i o"
  block = tada_parts.transformer_block(temporal_projection=temporal_projection)
  backbone = [
    Rule("params/class_token", ("class_embedding",), "c -> c"),
    Rule("params/position_embedding", ("positional_embedding",), "n c -> n c"),
    Rule("params/patch_embedding/kernel", ("conv1.weight",), patches),
    *layer_norm("pre_norm", "ln_pre"),
    *under(block, "block{i}", "layers.{i-1}"),
    *layer_norm("norm", "ln_post"),
    Rule("params/projection/kernel", ("proj",), "i o -> i o"),
  ]
  return [*under(backbone, "", "backbone"), *linear("head", "head.out")]


def rules(network: Network) -> list[Rule]:
  """Rules of any network that `takes` takes, with one head or two."""
  return [*_one_head(network), *_TASKS]


def _one_head(network: Network) -> list[Rule]:
  if isinstance(network, ResNet):
    return resnet()
  if isinstance(network, ConvNeXt):
    return convnext_net(_route(network))
  if isinstance(network, VisionTransformer):
    branch = slots.filling(network, "attention_branch")
    return vision_transformer(
      tubelet=network.tubelet[0],
      temporal_projection=branch.temporal_projection,
    )
  return resnet3d.network(network)


# Two heads for EPIC-Kitchens: BaseHeadx2, then SlowFastHeadx2.
_TASKS = [
  *linear("head/verb", "head.linear1"),
  *linear("head/noun", "head.linear2"),
  *linear("head/verb", "head.out1"),
  *linear("head/noun", "head.out2"),
]


def _route(network: Network) -> list[Rule]:
  """Rules of a ConvNeXt's route functions."""
  route = slots.filling(network, "convolution", features=1).route()
  if isinstance(route, RouteMlp):
    return tada_parts.route_mlp(route.norm)
  return tada_parts.route_attention()


def takes(network: Network) -> bool:
  """Returns whether the repository has such networks, with such operators."""
  if isinstance(network, ResNet3D | SlowFast):
    return _is_tadas(network) and not network.temporal.filled()
  if isinstance(network, VisionTransformer):
    branch = slots.filling(network, "attention_branch")
    is_tower = network.pre_norm and not network.num_temporal_positions
    return is_tower and isinstance(branch, AdaptiveBranch)
  if not isinstance(network, ResNet | ConvNeXt):
    return False
  if isinstance(network, ResNet) and network.block != "bottleneck":
    return False
  convolution = slots.filling(network, "convolution", features=1)
  if not isinstance(convolution, AdaptiveConv) or convolution.route is None:
    return False
  return network.temporal.filled() <= {"convolution", "after_convolution"}


def _is_tadas(network: ResNet3D | SlowFast) -> bool:
  """Whether a network has no parts that only other repositories have."""
  others = ("time_first", "shared_width", "factorised_shortcut")
  return not any(getattr(network, name, False) for name in others)


_OTHERS = "known are TAda2D, TAdaConvNeXtV2, TAdaFormer, SlowFast and R(2+1)D."
_REFUSALS = (
  Refusal(
    f"the backbone is a ViViT or a TimeSformer; {_OTHERS}",
    has=r"backbone\.(pos_embd|cls_token)",
  ),
  Refusal(
    f"the backbone is an Inception3D (S3DG); {_OTHERS}",
    has=r"backbone\.(Conv_1a|Mixed_3b)\..+",
  ),
  Refusal(
    "the head is MoSI's, for motions made of images: --num-classes CLASSES "
    "--allow-missing 'head/*' starts another.",
    has=r"head\.out_(x|joint)\.weight",
  ),
  Refusal(
    "stages end with non-local blocks (NONLOCAL.ENABLE); no network here has them.",
    has=r"backbone\..*nonlocal\..+",
  ),
  Refusal(
    "the lateral convolutions have biases (FUSION_CONV_BIAS); SlowFast here has none.",
    has=r"backbone\.slowfast_fusion1\.conv_fast_to_slow\.bias",
  ),
  Refusal(
    "the lateral convolutions have no norms (FUSION_BN false): --set "
    "lateral_norm=false, if no ReLU follows them either (FUSION_RELU false).",
    has=r"backbone\.slowfast_fusion1\.conv_fast_to_slow\.weight",
    lacks=r"backbone\.slowfast_fusion1\.bn\.weight",
  ),
  Refusal(
    "the stem spans frames (R2Plus1DStem), the stem of table A3 one: --set "
    "taps=[3,3,3,3,3], and the code's strides, which have no tensors: --set "
    "strides=[2,1,2,2,2] --set time_strides=[1,1,2,2,2].",
    has=r"backbone\.conv1\.a1\.weight",
    lacks=r"backbone\.conv2\.res_1\.conv_branch\.a1\.weight",
  ),
  Refusal(
    "branches have no factors of their channels (LARGE_SCALE_INIT_VALUE 0); "
    "ConvNeXt here has them.",
    has=r"backbone\.stages\.0\.0\.dwconv\.weight",
    lacks=r"backbone\.stages\.0\.0\.gamma",
  ),
  Refusal(
    "blocks have two branches (DOUBLE_TADA): --set temporal=adaptive_branches.",
    has=r"backbone\.layers\.0\.tada2\..+",
  ),
  Refusal(
    "the class token is projected (REQUIRE_PROJ): --set projection=OUTPUT_DIM.",
    has=r"backbone\.proj",
  ),
)

FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="tada",
    origin="alibaba-mmai-research/TAdaConv",
    rules=rules,
    takes=takes,
    marks=(r"head\.(out|linear|out_)\w*\.weight", r"backbone\..+"),
    fixed=("activation",),
    forms=({"temporal": "adaptive_branches"},),
    tasks={
      "verb": r"head\.(linear|out)1\.weight",
      "noun": r"head\.(linear|out)2\.weight",
    },
    refusals=_REFUSALS,
    skip={**SKIP, r"head\.out_(x|joint)\.(weight|bias)": "MoSI's head"},
  ),
)
