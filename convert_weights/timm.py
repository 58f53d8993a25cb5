"""Rules of timm's vision transformers."""

from convert_weights import xvit
from convert_weights.rules import Rule, linear


def vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer`, with the layer before the classes."""
  return [
    *xvit.vision_transformer(),
    *linear("representation", "pre_logits.fc"),
  ]
