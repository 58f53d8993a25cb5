"""Rules of timm's vision transformers, plain and in CLIP's form."""

from collections.abc import Mapping
from typing import Any

from convert_weights.checkpoint_format import CheckpointFormat, Refusal, Shown
from convert_weights.formats import image_towers, xvit
from convert_weights.rules import Rule, conv2d, layer_norm, linear, under
from temporal_jax.models.network import Network

# Rules of `xvit.vision_transformer` that timm does not have, or has elsewhere.
_OTHERS = (
  "params/temporal_embedding",
  "params/head/kernel",
  "params/head/bias",
)


def vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer`, with the layer before the classes."""
  return [*_tower(), *linear("head", "head")]


def _tower() -> list[Rule]:
  shared = [r for r in xvit.vision_transformer() if r.leaf not in _OTHERS]
  return [*shared, *linear("representation", "pre_logits.fc")]


def _rules(network: Network) -> list[Rule]:
  head = linear("head", "head")
  return image_towers.classified(network, _tower(), head, "pre_logits.fc.weight")


def clip_vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer` in CLIP's form, without its last layer."""
  return [
    Rule("params/class_token", ("cls_token",), "1 1 c -> c"),
    Rule("params/position_embedding", ("pos_embed",), "1 n c -> n c"),
    *conv2d("patch_embedding", "patch_embed.proj"),
    *layer_norm("pre_norm", "norm_pre"),
    *under(xvit.transformer_block(), "block{i}", "blocks.{i-1}"),
    *layer_norm("norm", "norm"),
  ]


def last_layer(network: Network) -> list[Rule]:
  """Rules of a tower's last layer: the head projects or classifies."""
  is_projection = network.projection is not None
  return linear("projection" if is_projection else "head", "head")


def shown_by_head(network: Network, tensors: Mapping[str, Any]) -> dict[str, Shown]:
  """Returns arguments that the head of a tower shows, see `CheckpointFormat`.

  A head as wide as the network's projection is the projection. Fine-tuned
  towers have a classifier of the class token there, or nothing.
  """
  if network.projection is None:
    return {}
  if "head.weight" not in tensors:
    return {"projection": Shown(None, "the weights have no head")}
  width = tensors["head.weight"].shape[0]
  if width != network.projection:
    why = f"the head has {width} classes, the projection is {network.projection} wide"
    return {"projection": Shown(None, why)}
  if "head.bias" in tensors and not network.projection_bias:
    return {"projection_bias": Shown(True, "timm's projection has a bias")}
  return {}


def _clip_rules(network: Network) -> list[Rule]:
  tower = image_towers.from_images(clip_vision_transformer())
  return [*tower, *last_layer(network)]


_PIXELS = "For DeiT, MAE and DINO they are ImageNet's: change them there."

FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="timm_vit",
    origin="huggingface/pytorch-image-models",
    rules=_rules,
    takes=image_towers.is_plain,
    marks=(
      "cls_token",
      r"patch_embed\.proj\.weight",
      r"blocks\.0\.attn\.qkv\.weight",
    ),
    absent=(r"blocks\.0\.ls1\.gamma",),  # DINOv2 and DINOv3.
    skip={
      r"(head|pre_logits\.fc)\.(weight|bias)": image_towers.UNCLASSIFIED,
    },
    new={**image_towers.NEW, **image_towers.OTHER_HEADS},
    shown=image_towers.without(
      "representation", "pre_logits.fc.weight", "pre_logits.fc.bias"
    ),
    pixels=_PIXELS,
    refusals=(
      Refusal(
        "the weights are a CLIP's image tower: give vit_b32, vit_b16, vit_l14 or "
        "another network in CLIP's form.",
        has=r"norm_pre\.weight",
      ),
    ),
  ),
  CheckpointFormat(
    name="timm_clip",
    origin="huggingface/pytorch-image-models, CLIP",
    rules=_clip_rules,
    takes=image_towers.is_clip_tower,
    marks=(r"norm_pre\.weight", r"blocks\.0\.attn\.qkv\.weight"),
    new={**image_towers.NEW, **image_towers.HEAD},
    shown=shown_by_head,
    unsaid={
      "activation": (
        "timm's need --set activation=gelu, unless the name of their model has "
        "quickgelu."
      ),
      "num_heads": "",
    },
  ),
)
