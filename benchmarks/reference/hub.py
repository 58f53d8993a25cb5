"""Networks of `transformers`, with random weights, and the rules of theirs."""

import transformers
from torch import nn

from convert_weights.rules import (
  Rule,
  batch_norm,
  conv2d,
  layer_norm,
  linear,
  under,
)


class Frames(nn.Module):
  """An image network on every frame of clips N T C H W; outputs averaged."""

  def __init__(self, network, output):
    super().__init__()
    self.network, self.output = network, output

  def forward(self, clip):
    """Returns the average over the frames."""
    out = self.network(clip.flatten(0, 1))[self.output]
    return out.unflatten(0, clip.shape[:2]).mean(1)


def resnet(depth: int) -> Frames:
  """Returns `ResNetForImageClassification` of 18 or 50 layers."""
  basic = depth == 18
  config = transformers.ResNetConfig(
    layer_type="basic" if basic else "bottleneck",
    depths=[2, 2, 2, 2] if basic else [3, 4, 6, 3],
    hidden_sizes=[64 * 2**i * (1 if basic else 4) for i in range(4)],
    num_labels=400,
  )
  return Frames(transformers.ResNetForImageClassification(config), "logits")


def resnet_rules() -> list[Rule]:
  """Rules of a `ResNet` from it."""
  block = [
    *conv2d("conv{i}", "layer.{i-1}.convolution"),
    *batch_norm("norm{i}", "layer.{i-1}.normalization"),
    *conv2d("shortcut_conv", "shortcut.convolution"),
    *batch_norm("shortcut_norm", "shortcut.normalization"),
  ]
  stem, stages = "resnet.embedder.embedder", "resnet.encoder.stages"
  return _of_frames(
    [
      *conv2d("stem_conv", f"{stem}.convolution"),
      *batch_norm("stem_norm", f"{stem}.normalization"),
      *under(block, "stage{s}_block{b}", f"{stages}.{{s-1}}.layers.{{b-1}}"),
      *linear("head", "classifier.1"),
    ]
  )


def clip(patch_size: int) -> Frames:
  """Returns `CLIPVisionModelWithProjection`, ViT-B of some patches."""
  config = transformers.CLIPVisionConfig(
    hidden_size=768,
    intermediate_size=3072,
    projection_dim=512,
    num_hidden_layers=12,
    num_attention_heads=12,
    image_size=224,
    patch_size=patch_size,
  )
  network = transformers.CLIPVisionModelWithProjection(config)
  return Frames(network, "image_embeds")


def clip_rules() -> list[Rule]:
  """Rules of a `VisionTransformer` with a projection from it."""
  weights, biases = (
    tuple(f"self_attn.{name}_proj.{kind}" for name in "qkv")
    for kind in ("weight", "bias")
  )
  attention = "params/attention"
  block = [
    *layer_norm("norm1", "layer_norm1"),
    Rule(f"{attention}/qkv/kernel", weights, "three (m d) i -> i three m d"),
    Rule(f"{attention}/qkv/bias", biases, "three (m d) -> three m d"),
    Rule(
      f"{attention}/out/kernel",
      ("self_attn.out_proj.weight",),
      "o (m d) -> m d o",
    ),
    Rule(f"{attention}/out/bias", ("self_attn.out_proj.bias",), "c -> c"),
    *layer_norm("norm2", "layer_norm2"),
    *linear("mlp/expand", "mlp.fc1"),
    *linear("mlp/contract", "mlp.fc2"),
  ]
  start = "embeddings"
  tower = [
    Rule("params/class_token", (f"{start}.class_embedding",), "c -> c"),
    Rule(
      "params/position_embedding",
      (f"{start}.position_embedding.weight",),
      "n c -> n c",
    ),
    *conv2d("patch_embedding", f"{start}.patch_embedding"),
    *layer_norm("pre_norm", "pre_layrnorm"),
    *under(block, "block{i}", "encoder.layers.{i-1}"),
    *layer_norm("norm", "post_layernorm"),
  ]
  projection = linear("projection", "visual_projection", bias=False)
  return _of_frames([*under(tower, "", "vision_model"), *projection])


def convnext() -> Frames:
  """Returns `ConvNextForImageClassification`, the tiny one."""
  config = transformers.ConvNextConfig(num_labels=400)
  return Frames(transformers.ConvNextForImageClassification(config), "logits")


def convnext_rules() -> list[Rule]:
  """Rules of a `ConvNeXt` from it."""
  block = [
    Rule("params/conv/kernel", ("dwconv.weight",), "c 1 h w -> h w c"),
    Rule("params/conv/bias", ("dwconv.bias",), "c -> c"),
    *layer_norm("norm", "layernorm"),
    *linear("mlp/expand", "pwconv1"),
    *linear("mlp/contract", "pwconv2"),
    Rule("params/scale/scale", ("layer_scale_parameter",), "c -> c"),
  ]
  stage, downsample = "encoder.stages.{s-1}", "downsampling_layer"
  network = [
    *conv2d("stem_conv", "embeddings.patch_embeddings", bias=True),
    *layer_norm("stem_norm", "embeddings.layernorm"),
    *layer_norm("downsample{s}_norm", f"encoder.stages.{{s}}.{downsample}.0"),
    *conv2d("downsample{s}_conv", f"encoder.stages.{{s}}.{downsample}.1", bias=True),
    *under(block, "stage{s}_block{b}", f"{stage}.layers.{{b-1}}"),
    *layer_norm("norm", "layernorm"),
  ]
  return _of_frames([*under(network, "", "convnext"), *linear("head", "classifier")])


def _of_frames(rules: list[Rule]) -> list[Rule]:
  return under(rules, "", "network")
