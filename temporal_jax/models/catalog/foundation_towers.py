"""Image towers of DINOv2, DINOv3 and SigLIP 2 over frames."""

import functools
import math
from collections.abc import Mapping

from temporal_jax import ops
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.blocks.transformer import TransformerBlock
from temporal_jax.models.catalog import entry
from temporal_jax.models.catalog.entry import Entry

_SMALL = {"width": 384, "depth": 12, "num_heads": 6}
_BASE = {"width": 768, "depth": 12, "num_heads": 12}
_LARGE = {"width": 1024, "depth": 24, "num_heads": 16}
# Its hidden width is 4304.
_SO400M = {"width": 1152, "depth": 27, "num_heads": 16, "mlp_ratio": 3.7362}
# A gated MLP has two thirds of the hidden width of one without a gate.
_GATED_RATIO = 2.6667
_GIANT = {"width": 1536, "depth": 40, "num_heads": 24, "mlp_ratio": _GATED_RATIO}

DINOV2_BLOCK = functools.partial(TransformerBlock, layer_scale=1.0)
DINOV3_BLOCK = functools.partial(
  TransformerBlock,
  key_bias=False,
  layer_scale=1e-5,
  rotary=functools.partial(
    ops.rotary_embedding,
    # Places in [-1, 1] are turned by 2 pi, so that a frame is 4 pi wide.
    extent=4 * math.pi,
    base=100.0,
    centred=True,
    pairing="halves",
  ),
)
_DINOV2 = {"patch_size": 14, "grid": 16, "block": DINOV2_BLOCK}
# Their positions are smoothed where they are resized to a smaller grid.
_REGISTERS = {"num_registers": 4, "antialias": True}
_DINOV3 = {
  "epsilon": 1e-5,
  "positions": "none",
  "num_registers": 4,
  "block": DINOV3_BLOCK,
}
_GATED_V3 = functools.partial(DINOV3_BLOCK, gated=True)
_SIGLIP2 = {
  "activation": "gelu_tanh",
  "has_class_token": False,
  "pooling": "attention",
}

_dinov2 = functools.partial(
  Entry,
  module=VisionTransformer,
  clip_shape=(8, 224, 224),
  pixels=entry.IMAGENET,
  paper="arXiv:2304.07193",
  repository="facebookresearch/dinov2",
  weights="https://github.com/facebookresearch/dinov2",
)
_dinov2_registers = functools.partial(_dinov2, paper="arXiv:2309.16588")
_dinov3 = functools.partial(
  Entry,
  module=VisionTransformer,
  clip_shape=(8, 224, 224),
  pixels=entry.IMAGENET,
  paper="arXiv:2508.10104",
  repository="facebookresearch/dinov3",
  weights="https://github.com/facebookresearch/dinov3",
)
_siglip2 = functools.partial(
  Entry,
  module=VisionTransformer,
  clip_shape=(8, 256, 256),
  pixels=entry.HALF,
  paper="arXiv:2502.14786",
  repository="google-research/big_vision",
  weights=(
    "https://github.com/google-research/big_vision/blob/main/big_vision/configs/"
    "proj/image_text/README_siglip2.md"
  ),
)
_GIANT_BLOCK = functools.partial(DINOV2_BLOCK, gated=True)

ENTRIES: Mapping[str, Entry] = {
  "dinov2_s14": _dinov2(kwargs={**_DINOV2, **_SMALL}),
  "dinov2_b14": _dinov2(kwargs={**_DINOV2, **_BASE}),
  "dinov2_l14": _dinov2(kwargs={**_DINOV2, **_LARGE}),
  "dinov2_g14": _dinov2(kwargs={**_DINOV2, **_GIANT, "block": _GIANT_BLOCK}),
  "dinov2_s14_registers": _dinov2_registers(kwargs={**_DINOV2, **_REGISTERS, **_SMALL}),
  "dinov2_b14_registers": _dinov2_registers(kwargs={**_DINOV2, **_REGISTERS, **_BASE}),
  "dinov2_l14_registers": _dinov2_registers(kwargs={**_DINOV2, **_REGISTERS, **_LARGE}),
  "dinov2_g14_registers": _dinov2_registers(
    kwargs={**_DINOV2, **_REGISTERS, **_GIANT, "block": _GIANT_BLOCK}
  ),
  "dinov3_s16": _dinov3(kwargs={**_DINOV3, **_SMALL}),
  "dinov3_s16plus": _dinov3(kwargs={**_DINOV3, **_SMALL, "block": _GATED_V3}),
  "dinov3_b16": _dinov3(kwargs={**_DINOV3, **_BASE}),
  "dinov3_l16": _dinov3(kwargs={**_DINOV3, **_LARGE}),
  "dinov3_h16plus": _dinov3(
    kwargs={
      **_DINOV3,
      "width": 1280,
      "depth": 32,
      "num_heads": 20,
      "block": _GATED_V3,
    }
  ),
  "dinov3_7b16": _dinov3(
    kwargs={
      **_DINOV3,
      "width": 4096,
      "depth": 40,
      "num_heads": 32,
      "mlp_ratio": 2.0,
      "block": functools.partial(_GATED_V3, qkv_bias=False),
    }
  ),
  "siglip2_b32": _siglip2(kwargs={**_SIGLIP2, **_BASE, "patch_size": 32, "grid": 8}),
  "siglip2_b16": _siglip2(
    kwargs={**_SIGLIP2, **_BASE, "patch_size": 16, "grid": 14},
    clip_shape=(8, 224, 224),
  ),
  "siglip2_l16": _siglip2(kwargs={**_SIGLIP2, **_LARGE, "patch_size": 16, "grid": 16}),
  "siglip2_so400m14": _siglip2(
    kwargs={
      **_SIGLIP2,
      **_SO400M,
      "patch_size": 14,
      "grid": 16,
    },
    clip_shape=(8, 224, 224),
  ),
  "siglip2_so400m16": _siglip2(
    kwargs={
      **_SIGLIP2,
      **_SO400M,
      "patch_size": 16,
      "grid": 16,
    }
  ),
  "siglip2_g16": _siglip2(
    kwargs={
      **_SIGLIP2,
      "width": 1536,
      "depth": 40,
      "num_heads": 16,
      "patch_size": 16,
      "grid": 16,
    }
  ),
}
