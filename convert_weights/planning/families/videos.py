"""Families of video networks; special forms are listed before general ones."""

from convert_weights.planning.families.family import (
  HUGGINGFACE,
  PATCH,
  Family,
  family,
)

_CLASS = "cls_token"
_TRANSFORMERS = (
  family(
    "MViT",
    r"(stages\.\d+\.)?blocks\.\d+\.attn\.(pool|norm)_[qkv](\..+)?\.weight",
  ),
  family("Video Swin", r"attn\.relative_position_bias_table", rf"{PATCH} @5"),
  family("UniFormer (Sense-X/UniFormer)", r"blocks1\.0\.pos_embed\.weight"),
  family(
    "UniFormerV2 (OpenGVLab/UniFormerV2)",
    r"transformer\.dec\.0\..+",
    r"transformer\.resblocks\.0\..+",
  ),
  family(
    "Hiera",
    PATCH,
    r"blocks\.\d+\.proj\.weight",
    absent=(_CLASS, r"layers\.0\..+"),
  ),
  family(f"Hiera ({HUGGINGFACE})", r"hiera\.embeddings\..+"),
  family(
    "InternVideo2 (OpenGVLab/InternVideo)",
    rf"{PATCH} @5",
    r"(vision_encoder\.)?clip_projector\..+",
  ),
  family(
    "a video transformer over tubelets with a class token (InternVideo2, UMT, MVD)",
    rf"{PATCH} @5",
    r"blocks\.0\..+",
    _CLASS,
  ),
  family(
    "a video transformer over tubelets",
    rf"{PATCH} @5",
    r"blocks\.0\..+",
    absent=(r"blocks\.0\.attn\.(q_bias|qkv\.bias)",),
  ),
)
_CONVOLUTIONS = (
  family("S3D of torchvision", r"features\.0\.0\.0\.weight @5"),
  family("S3D (kylemin/S3D)", r"base\.0\.conv_s\.weight @5"),
  family(
    "I3D over Inception",
    r"[Cc]onv3d_1a_7x7(\.conv3d)?\.weight @5",
  ),
  family("X3D (PySlowFast)", r"s1\.pathway0_stem\.conv_xy\.weight"),
  family("X3D (pytorchvideo)", r"blocks\.0\.conv\.conv_(t|xy)\.weight"),
  family("C3D", r"conv1a?(\.conv)?\.weight @5", r"conv3a(\.conv)?\.weight @5"),
  family(
    "a ResNet of 3-D convolutions (kenshohara/3D-ResNets-PyTorch, CSN)",
    r"layer1\.0\.conv1\.weight @5",
  ),
  family(
    "a TSM whose blocks shift their whole input (shift_place block)",
    r"layer1\.0\.net\.conv1(\.conv)?\.weight",
  ),
  family("MoViNet", r"blocks\.b0_l0\..+"),
)
FAMILIES: tuple[Family, ...] = (*_TRANSFORMERS, *_CONVOLUTIONS)
