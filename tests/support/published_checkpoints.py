"""Names and shapes of the tensors in published files, by their sizes.

Written from the files, apart from the rules that read them.
"""

from types import MappingProxyType

import jax
import numpy as np

CLIP_B32 = {"width": 768, "depth": 12, "patch": 32, "grid": 7, "features": 512}
CLIP_B16 = {**CLIP_B32, "patch": 16, "grid": 14}
_L14 = {"width": 1024, "depth": 24, "patch": 14, "grid": 16, "features": 768}
CLIP_L14 = {**_L14, "text_width": 768}
CLIP_L14_336 = {**CLIP_L14, "grid": 24}
# The larger ones of open_clip.
CLIP_H14 = {
  **{"width": 1280, "depth": 32, "patch": 14, "grid": 16, "features": 1024},
  **{"text_width": 1024, "text": {"depth": 24}},
}
CLIP_BIG_G14 = {
  **{"width": 1664, "depth": 48, "patch": 14, "grid": 16, "features": 1280},
  **{"text_width": 1280, "text": {"depth": 32}, "hidden": 8192},
}
EVA_B16 = {**CLIP_B16, "hidden": 2048}
EVA_L14 = {**_L14, "hidden": 2730}
EVA_L14_336 = {**EVA_L14, "grid": 24}


def structs(shapes):
  """Shapes as a conversion is planned from."""
  return {
    name: jax.ShapeDtypeStruct(shape, np.float32) for name, shape in shapes.items()
  }


def _layer(name, *shape, bias=True):
  return {f"{name}.weight": shape} | ({f"{name}.bias": shape[:1]} if bias else {})


def _under(prefix, shapes):
  return {prefix + name: shape for name, shape in shapes.items()}


def _clip_blocks(width, depth, hidden=None):
  hidden = hidden or 4 * width
  block = {
    "attn.in_proj_weight": (3 * width, width),
    "attn.in_proj_bias": (3 * width,),
    **_layer("attn.out_proj", width, width),
    **_layer("ln_1", width),
    **_layer("mlp.c_fc", hidden, width),
    **_layer("mlp.c_proj", width, hidden),
    **_layer("ln_2", width),
  }
  shapes = {}
  for i in range(depth):
    shapes |= _under(f"transformer.resblocks.{i}.", block)
  return shapes


def clip_text(features, width=512, depth=12, vocabulary=49408, context=77):
  """The text tower of openai/CLIP."""
  return {
    "positional_embedding": (context, width),
    "text_projection": (width, features),
    "token_embedding.weight": (vocabulary, width),
    **_clip_blocks(width, depth),
    **_layer("ln_final", width),
  }


def clip_image(width, depth, patch, grid, features, hidden=None):
  """The image tower of openai/CLIP."""
  return {
    "class_embedding": (width,),
    "positional_embedding": (grid**2 + 1, width),
    "proj": (width, features),
    **_layer("conv1", width, 3, patch, patch, bias=False),
    **_layer("ln_pre", width),
    **_clip_blocks(width, depth, hidden),
    **_layer("ln_post", width),
  }


def clip(features, text_width=512, text=MappingProxyType({}), **image):
  """Both towers of openai/CLIP."""
  return {
    **_under("visual.", clip_image(features=features, **image)),
    **clip_text(features, text_width, **text),
    "logit_scale": (),
  }


def clip_resnet50():
  """openai/CLIP with a ResNet for images."""
  shapes = {}
  for i, (ins, outs) in enumerate(((3, 32), (32, 32), (32, 64)), 1):
    shapes |= _convolution(f"conv{i}", f"bn{i}", outs, ins, 3)
  ins = 64
  for stage, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 1):
    for i in range(blocks):
      shapes |= _under(f"layer{stage}.{i}.", _bottleneck(ins, width, i == 0))
      ins = 4 * width
  for name in ("k_proj", "q_proj", "v_proj"):
    shapes |= _layer(f"attnpool.{name}", ins, ins)
  shapes |= _layer("attnpool.c_proj", 1024, ins)
  shapes["attnpool.positional_embedding"] = (50, ins)
  return {**_under("visual.", shapes), **clip_text(1024), "logit_scale": ()}


def _bottleneck(ins, width, is_first):
  shapes = {
    **_convolution("conv1", "bn1", width, ins, 1),
    **_convolution("conv2", "bn2", width, width, 3),
    **_convolution("conv3", "bn3", 4 * width, width, 1),
  }
  if is_first:
    shapes |= _convolution("downsample.0", "downsample.1", 4 * width, ins, 1)
  return shapes


def _convolution(name, norm, outs, ins, side):
  return {
    f"{name}.weight": (outs, ins, side, side),
    **_layer(norm, outs),
    f"{norm}.running_mean": (outs,),
    f"{norm}.running_var": (outs,),
    f"{norm}.num_batches_tracked": (),
  }


def eva(width, depth, patch, grid, features, hidden, head_width=64):
  """The image tower of EVA-02-CLIP, without the texts'."""
  rope = _under("rope.freqs_", dict.fromkeys(("cos", "sin"), (grid**2, head_width)))
  block = {
    **_layer("norm1", width),
    "attn.q_bias": (width,),
    "attn.v_bias": (width,),
    **_layer("attn.q_proj", width, width, bias=False),
    **_layer("attn.k_proj", width, width, bias=False),
    **_layer("attn.v_proj", width, width, bias=False),
    **_layer("attn.inner_attn_ln", width),
    **_layer("attn.proj", width, width),
    **_under("attn.", rope),
    **_layer("norm2", width),
    **_layer("mlp.w1", hidden, width),
    **_layer("mlp.w2", hidden, width),
    **_layer("mlp.ffn_ln", hidden),
    **_layer("mlp.w3", width, hidden),
  }
  shapes = {
    **_plain_start(width, patch, grid),
    **rope,
    **_layer("norm", width),
    **_layer("head", features, width),
  }
  for i in range(depth):
    shapes |= _under(f"blocks.{i}.", block)
  return shapes


def timm_vit(width=768, depth=12, patch=16, grid=14, classes=21843):
  """timm's vision transformer, with the layer before the classes."""
  block = {
    **_layer("norm1", width),
    **_layer("attn.qkv", 3 * width, width),
    **_layer("attn.proj", width, width),
    **_layer("norm2", width),
    **_layer("mlp.fc1", 4 * width, width),
    **_layer("mlp.fc2", width, 4 * width),
  }
  shapes = {
    **_plain_start(width, patch, grid),
    **_layer("norm", width),
    **_layer("pre_logits.fc", width, width),
    **_layer("head", classes, width),
  }
  for i in range(depth):
    shapes |= _under(f"blocks.{i}.", block)
  return shapes


def _plain_start(width, patch, grid):
  return {
    "cls_token": (1, 1, width),
    "pos_embed": (1, grid**2 + 1, width),
    **_layer("patch_embed.proj", width, 3, patch, patch),
  }


def google_vit(width=768, depth=12, heads=12, patch=16, grid=14, classes=21843):
  """google-research/vision_transformer on ImageNet-21k."""
  split = (heads, width // heads)
  attention = {
    f"{name}/{kind}": shape
    for name in ("query", "key", "value")
    for kind, shape in (("kernel", (width, *split)), ("bias", split))
  } | {"out/kernel": (*split, width), "out/bias": (width,)}
  block = {
    **_flax("LayerNorm_0", "scale", width),
    **_under("MultiHeadDotProductAttention_1/", attention),
    **_flax("LayerNorm_2", "scale", width),
    **_flax("MlpBlock_3/Dense_0", "kernel", width, 4 * width),
    **_flax("MlpBlock_3/Dense_1", "kernel", 4 * width, width),
  }
  shapes = {
    "cls": (1, 1, width),
    "Transformer/posembed_input/pos_embedding": (1, grid**2 + 1, width),
    **_flax("embedding", "kernel", patch, patch, 3, width),
    **_flax("Transformer/encoder_norm", "scale", width),
    **_flax("pre_logits", "kernel", width, width),
    **_flax("head", "kernel", width, classes),
  }
  for i in range(depth):
    shapes |= _under(f"Transformer/encoderblock_{i}/", block)
  return shapes


def _flax(name, kind, *shape):
  return {f"{name}/{kind}": shape, f"{name}/bias": shape[-1:]}
