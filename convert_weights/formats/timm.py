"""Rules of timm's vision transformers."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import image_towers, xvit
from convert_weights.rules import Rule, linear
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
    skip={
      r"(head|pre_logits\.fc)\.(weight|bias)": image_towers.UNCLASSIFIED,
    },
    new={**image_towers.NEW, **image_towers.OTHER_HEADS},
    pixels=_PIXELS,
  ),
)
