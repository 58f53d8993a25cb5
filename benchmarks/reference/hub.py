"""Networks of huggingface/transformers that take clips."""

import numpy as np
import torch
import transformers
from torch import nn


class Frames(nn.Module):
  """An image network whose outputs are averaged over frames: N T C H W."""

  def __init__(self, network, output):
    super().__init__()
    self.network, self.output = network, output

  def forward(self, clip):
    """Returns the average over the frames."""
    out = self.network(clip.flatten(0, 1))[self.output]
    return out.unflatten(0, clip.shape[:2]).mean(1)


def resnet(depth: int) -> Frames:
  """Returns `ResNetForImageClassification` with 18 or 50 layers."""
  basic = depth == 18
  config = transformers.ResNetConfig(
    layer_type="basic" if basic else "bottleneck",
    depths=[2, 2, 2, 2] if basic else [3, 4, 6, 3],
    hidden_sizes=[64 * 2**i * (1 if basic else 4) for i in range(4)],
    num_labels=400,
  )
  return Frames(transformers.ResNetForImageClassification(config), "logits")


def clip(
  patch_size: int, *, width: int = 768, depth: int = 12, projection: int = 512
) -> Frames:
  """Returns `CLIPVisionModelWithProjection`, by default as wide as ViT-B."""
  config = transformers.CLIPVisionConfig(
    hidden_size=width,
    intermediate_size=4 * width,
    projection_dim=projection,
    num_hidden_layers=depth,
    num_attention_heads=width // 64,
    image_size=224,
    patch_size=patch_size,
  )
  network = transformers.CLIPVisionModelWithProjection(config)
  return Frames(network, "image_embeds")


def convnext() -> Frames:
  """Returns `ConvNextForImageClassification`, the tiny one."""
  config = transformers.ConvNextConfig(num_labels=400)
  return Frames(transformers.ConvNextForImageClassification(config), "logits")


class Clips(nn.Module):
  """A video network of transformers: N T C H W."""

  def __init__(self, network):
    super().__init__()
    self.network = network

  def forward(self, clip):
    """Returns logits."""
    return self.network(clip).logits


def timesformer(attention: str) -> Clips:
  """Returns `TimesformerForVideoClassification`, as wide as ViT-B.

  Args:
    attention: "divided_space_time" or "joint_space_time".
  """
  config = transformers.TimesformerConfig(attention_type=attention, num_labels=400)
  return Clips(transformers.TimesformerForVideoClassification(config))


def videomae() -> Clips:
  """Returns `VideoMAEForVideoClassification`, as wide as ViT-B."""
  config = transformers.VideoMAEConfig(num_labels=400)
  return Clips(transformers.VideoMAEForVideoClassification(config))


def vivit() -> Clips:
  """Returns `VivitForVideoClassification`, as wide as ViT-B."""
  config = transformers.VivitConfig(num_labels=400)
  return Clips(transformers.VivitForVideoClassification(config))


class LabelledClips(nn.Module):
  """A network of transformers that compares videos, N T C H W, with texts."""

  def __init__(self, network, text):
    super().__init__()
    self.network = network
    self.register_buffer("tokens", torch.tensor(text), persistent=False)

  def forward(self, clip):
    """Returns the scaled cosines of clips and texts."""
    return self.network(input_ids=self.tokens, pixel_values=clip).logits_per_video


def xclip(text: np.ndarray) -> LabelledClips:
  """Returns `XCLIPModel` of ViT-B/32 and the texts that it compares with."""
  network = transformers.XCLIPModel(transformers.XCLIPConfig())
  return LabelledClips(network, text)


def vjepa2() -> Clips:
  """Returns `VJEPA2ForVideoClassification` of ViT-L/16, without predictor."""
  config = transformers.VJEPA2Config(num_labels=400)
  network = transformers.VJEPA2ForVideoClassification(config)
  network.vjepa2.predictor = nn.Identity()  # Classifiers skip it.
  return Clips(network)


def dinov2(registers: int = 0) -> Frames:
  """Returns `Dinov2Model` of ViT-B/14, or the model with registers."""
  sizes = {"image_size": 224, "patch_size": 14}
  if not registers:
    config = transformers.Dinov2Config(use_mask_token=False, **sizes)
    return Frames(transformers.Dinov2Model(config), "pooler_output")
  config = transformers.Dinov2WithRegistersConfig(
    num_register_tokens=registers, **sizes
  )
  network = transformers.Dinov2WithRegistersModel(config)
  network.embeddings.mask_token = None  # For masked patches, in pre-training.
  return Frames(network, "pooler_output")


def dinov3() -> Frames:
  """Returns `DINOv3ViTModel` of ViT-B/16."""
  config = transformers.DINOv3ViTConfig(
    hidden_size=768,
    intermediate_size=3072,
    num_attention_heads=12,
    num_register_tokens=4,
  )
  network = transformers.DINOv3ViTModel(config)
  network.embeddings.mask_token = None  # For masked patches, in pre-training.
  return Frames(network, "pooler_output")


def siglip() -> Frames:
  """Returns `SiglipVisionModel` of ViT-B/16."""
  network = transformers.SiglipVisionModel(transformers.SiglipVisionConfig())
  return Frames(network, "pooler_output")
