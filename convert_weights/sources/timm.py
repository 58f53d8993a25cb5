"""Rules of timm's vision transformers."""

from convert_weights.rules import Rule, linear
from convert_weights.sources import xvit


def vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer`, with the layer before the classes."""
  return [
    *xvit.vision_transformer(),
    *linear("representation", "pre_logits.fc"),
  ]
