"""Families of image networks; special forms are listed before general ones."""

from convert_weights.planning.families.family import (
  HUGGINGFACE,
  HUGGINGFACE_PATCH,
  PATCH,
  Family,
  family,
)

_BLOCK = r"blocks\.0\.attn\.qkv\.weight"
_CLASS = "cls_token"
_MASK = "mask_token"  # Published with DINOv2 and DINOv3.
# Norms in attention, which EVA-02-CLIP has.
_INNER_NORMS = (
  r"blocks\.0\.attn\.inner_attn_ln\.weight",
  r"blocks\.0\.attn\.norm\.weight",
)
_PLAIN = "plain ViTs with a class token are supported (source timm_vit)"
_TRANSFORMERS = (
  family(
    "DINOv2 whose blocks are in chunks (its training code)",
    r"blocks\.\d+\.\d+\.ls1\.gamma",
    instead="rename blocks.CHUNK.NUMBER to blocks.NUMBER; DINOv2 is supported with "
    "the names of its published files (source dinov2)",
  ),
  family(
    "a ViT with register tokens (DINOv2, DINOv3 and others of timm)",
    r"(.*\.)?reg_token",
    instead=_PLAIN,
  ),
  family(f"BEiT or Data2Vec ({HUGGINGFACE})", r"(encoder\.)?layers?\.0\.lambda_1"),
  family(
    f"BEiT ({HUGGINGFACE})",
    r".*relative_position_bias_table",
    r"embeddings\.cls_token",
  ),
  family(
    "BEiT or BEiTv2",
    r"blocks\.0\.attn\.relative_position_bias_table"
    r"|rel_pos_bias\.relative_position_bias_table",
    _CLASS,
  ),
  family("Swin v2", r".*\.cpb_mlp\..+|.*continuous_position_bias_mlp\..+"),
  family(
    "Swin, or MaxViT or CoAtNet",
    r".*relative_position_bias_table",
  ),
  family("CaiT", r"blocks\.0\.attn\.proj_l\.weight"),
  family(
    "a DeiT with distillation",
    r"dist_token|(.*\.)?distillation_token",
    instead=_PLAIN,
  ),
  family(
    "SigLIP or another ViT with attention pooling (timm)",
    r"attn_pool\.(latent|q\.weight)",
    instead=_PLAIN,
  ),
  family(
    "an MAE with its decoder",
    r"decoder_(pred|embed)\.weight|decoder\.decoder_pred\.weight",
    instead="save the encoder by itself, without mask_token and decoder; "
    "plain ViTs are supported (sources timm_vit, huggingface_vit)",
  ),
  family(
    "EVA, or EVA-02 without norms in attention, in the names of timm",
    r"blocks\.0\.(attn\.(q_bias|q_proj\.bias)|mlp\.fc1_g\.weight)",
    PATCH,
    _CLASS,
    absent=_INNER_NORMS,
    instead="EVA-02-CLIP is supported (sources eva02_clip, timm_eva02_clip)",
  ),
  family(
    "a ViT with a gated MLP (SwiGLU)",
    r"blocks\.0\.mlp\.(w12|fc1_g)\.weight",
    absent=(*_INNER_NORMS, _MASK),
    instead=_PLAIN,
  ),
  family(
    "a hybrid of a convolutional network and a ViT (timm)",
    r"patch_embed\.backbone\..+",
    instead=_PLAIN,
  ),
  family(
    "a ViT with relative positions (timm)",
    r"blocks\.0\.attn\.rel_pos.*|rel_pos\..+|shared_rel_pos\..+",
    PATCH,
    instead=_PLAIN,
  ),
  family(
    "a ViT with layer scale (DeiT III, DINOv2 and others of timm)",
    r"blocks\.0\.(ls1\.gamma|gamma_1)",
    absent=(_MASK,),
    instead=_PLAIN,
  ),
  family(
    "a ViT with norms of queries and keys (timm)",
    r"blocks\.0\.(attn\.)?q_norm\.weight",
    instead=_PLAIN,
  ),
  family(
    "a ViT with parallel blocks (timm)",
    r"blocks\.0\.attns\.0\..+",
    instead=_PLAIN,
  ),
  family(
    "a ViT that averages its tokens (fc_norm: MAE, EVA and others of timm)",
    r"fc_norm\.weight",
    _BLOCK,
    absent=(r"blocks\.0\.attn\.q_bias",),
    instead="plain ViTs that classify by their class token are supported "
    "(source timm_vit)",
  ),
  family(
    "a ViT without a class token (timm)",
    rf"{PATCH} @4",
    _BLOCK,
    absent=(_CLASS,),
    instead=_PLAIN,
  ),
  family(
    f"I-JEPA ({HUGGINGFACE})",
    rf"{HUGGINGFACE_PATCH} @4",
    r"(encoder\.layer|layers)\.0\.layernorm_before\.weight",
    absent=(r"embeddings\.cls_token",),
  ),
)
_CONVOLUTIONS = (
  family(
    "ConvNeXt V2 (with global response norms)",
    r".*\.grn\.(weight|gamma)",
    absent=(r"backbone\..+",),
    instead="ConvNeXt without them is supported (sources convnext, "
    "huggingface_convnext, timm_convnext, torchvision_convnext)",
  ),
  family(
    "a ConvNeXt with an MLP of convolutions (atto to nano, and hnf, of timm)",
    r"stages\.0\.blocks\.0\.mlp\.fc1\.weight @4",
    r"stages\.0\.blocks\.0\.conv_dw\.weight",
    instead="ConvNeXts with linear layers are supported (source timm_convnext)",
  ),
  family(
    "an EfficientNet or MobileNet of timm",
    r"conv_stem\.weight",
    r"blocks\.0\.0\..+",
  ),
  family(
    "a MobileNet or MNASNet of torchvision",
    r"features\.1\.conv\.0\.0\.weight|features\.1\.block\.0\.0\.weight"
    r"|layers\.8\.0\.layers\.0\.weight",
  ),
  family("an EfficientNet of torchvision", r"features\.1\.0\.block\.0\.0\.weight"),
  family(
    f"an EfficientNet or MobileNet ({HUGGINGFACE})",
    r"(efficientnet|mobilenet_v[12]|mobilevit)\..+",
  ),
  family(
    "a RegNet",
    r"trunk_output\.block1\..+|s1\.b1\.conv1\.conv\.weight"
    r"|regnet\.embedder\..+",
  ),
  family("a DenseNet", r"features\.denseblock1\.denselayer1\.norm1\.weight"),
  family(
    "a VGG or AlexNet of torchvision",
    r"features\.0\.weight @4",
    r"classifier\.6\.weight",
  ),
  family(
    "an Inception network of images",
    r"(Mixed_5b|inception3a)\.branch1(x1)?\.conv\.weight",
  ),
  family(
    "a ResNet with squeeze-and-excitation or another attention",
    r"layer1\.0\.(se|attn|conv2\.(fc1|conv))\..+",
    absent=(r"layer1\.0\.conv1\.conv\..+",),
    instead="plain ResNets are supported (source torchvision)",
  ),
  family(
    "a ResNet with a deep stem (timm)",
    r"conv1\.0\.weight @4",
    r"layer1\.0\.conv1\.weight",
    instead="plain ResNets are supported (source torchvision)",
  ),
  family(
    "a ResNetV2 (timm)",
    r"stem\.conv\.weight",
    r"stages\.0\.blocks\.0\.conv1\.weight",
  ),
  family(f"BiT ({HUGGINGFACE})", r"bit\..+"),
)
FAMILIES: tuple[Family, ...] = (*_TRANSFORMERS, *_CONVOLUTIONS)
