"""Rules that image transformers of all formats share."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from convert_weights.changes import inflate, resize_positions, smooth_positions
from convert_weights.checkpoint_format import Shown
from convert_weights.formats import slots
from convert_weights.rules import Rule, under
from temporal_jax.models.backbones.video_text import VideoTextModel
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.network import Network

# Leaves that no image has weights for -> the reason. The slots are those that
# add to a block; the one that replaces its attention takes that one's weights.
NEW: Mapping[str, str] = {
  r"(params|batch_stats)/(visual/)?block\d+/"
  r"(block_input|attention_branch|mlp_input|mlp_branch)/.+": ("a temporal module"),
  "params/temporal_embedding": "positions in time",
}
HEAD = slots.HEAD
# The head over time of X-ViT, and the heads of several tasks.
OTHER_HEADS: Mapping[str, str] = {
  "params/head/(class_token|position_embedding|.+/.+)": (
    "the image weights have no such head"
  )
}
UNCLASSIFIED = "for the images' classes, where the network has no such layer"
# Arguments that config.json of transformers has; without it the row's own are
# right for all published weights.
AS_IN_CONFIG: Mapping[str, str] = {"activation": "", "epsilon": "", "num_heads": ""}
# Tensors that DINOv2 and DINOv3 have in the names of transformers.
HUGGINGFACE_DINO = (r"(encoder\.|model\.)?layer\.0\.layer_scale1\.lambda1",)
VIDEO_TEXT: Mapping[str, str] = {
  "params/integration/.+": "the integration of frames",
  "params/(prompt|prompt_norm|prompt_projection)/.+": "the prompt of a video",
  "params/classifier/.+": "the image weights have no classifier",
}

# Arguments of `VisionTransformer` for layers after the last norm -> words.
_LAYERS = {
  "representation": "layer before the classes",
  "projection": "projection",
}


def from_images(rules: Iterable[Rule], *, antialias: bool = False) -> list[Rule]:
  """Rules of a `VisionTransformer` for any grid of positions and tubelet.

  Args:
    rules: Rules for those of the images.
    antialias: Whether a smaller grid of positions is smoothed.
  """
  changes = {
    "params/patch_embedding/kernel": inflate,
    "params/position_embedding": smooth_positions if antialias else resize_positions,
  }
  return [rule._replace(change=changes.get(rule.leaf)) for rule in rules]


def clip_rules(
  network: Network,
  image: Iterable[Rule],
  text: Sequence[Rule],
  log_scale: str,
) -> list[Rule]:
  """Rules of a network in CLIP's form.

  Args:
    network: A `VisionTransformer`, or a `VideoTextModel` with both towers.
    image: Rules of the image tower.
    text: Rules of the text tower.
    log_scale: Tensor of the factor of the similarities.
  """
  image = from_images(image)
  if not isinstance(network, VideoTextModel):
    return image
  return [
    *under(image, "visual", ""),
    *under(text, "text", ""),
    Rule("params/log_scale", (log_scale,), "->"),
  ]


def classified(
  network: Network, image: Iterable[Rule], head: Sequence[Rule], before: str
) -> list[Rule]:
  """Rules of a tower with its classifier.

  Args:
    network: A `VisionTransformer`.
    image: Rules of the tower, with the layer before the classes.
    head: Rules of the classifier.
    before: Kernel of the layer before the classes. Weights that have it do not
      give their classifier to a network that lacks the layer.
  """
  rules = [*from_images(image), *head]
  if network.representation is not None:
    return rules
  refused = [
    rule._replace(tensors=(*rule.tensors, before), pattern="n i o -> n i o")
    for rule in head
    if rule.leaf.endswith("kernel")
  ]
  return [*refused, *rules]


def without(
  argument: str, *tensors: str
) -> Callable[[Network, Mapping[str, Any]], Mapping[str, Shown]]:
  """Returns a `shown` of formats whose checkpoints may lack a layer of a tower.

  Args:
    argument: A key of `_LAYERS`, None for networks without that layer.
    *tensors: The layer's tensors; none for a naming that never has it.
  """

  def shown(network: Network, found: Mapping[str, Any]) -> Mapping[str, Shown]:
    is_asked = _is_tower(network) and getattr(network, argument) is not None
    if not is_asked or any(name in found for name in tensors):
      return {}
    return {argument: Shown(None, f"the weights have no {_LAYERS[argument]}")}

  return shown


def is_clip(network: Network) -> bool:
  """Whether a network's image tower has CLIP's form."""
  if isinstance(network, VideoTextModel):
    return True
  return _is_tower(network) and network.pre_norm and not is_eva(network)


def is_clip_tower(network: Network) -> bool:
  """Whether a network is one tower in the form of CLIP's image tower."""
  return _is_tower(network) and is_clip(network)


def is_clip_image(network: Network) -> bool:
  """Whether a network has the form of CLIP's image tower and reads no texts."""
  return is_clip(network) and getattr(network, "head", "") != "text"


def is_eva(network: Network) -> bool:
  """Whether a network's image tower has EVA-02's form."""
  return (
    _is_tower(network)
    and network.has_class_token
    and block_argument(network, "rotary") is not None
    and block_argument(network, "layer_scale") is None
  )


def is_dinov2(network: Network) -> bool:
  """Whether a network's image tower has DINOv2's form."""
  return (
    _is_tower(network)
    and block_argument(network, "layer_scale") is not None
    and network.positions == "learned"
  )


def is_dinov3(network: Network) -> bool:
  """Whether a network's image tower has DINOv3's form."""
  return (
    _is_tower(network)
    and block_argument(network, "layer_scale") is not None
    and block_argument(network, "rotary") is not None
  )


def is_siglip(network: Network) -> bool:
  """Whether a network's image tower has SigLIP's form."""
  return _is_tower(network) and network.pooling == "attention"


def is_plain(network: Network) -> bool:
  """Whether a network's image tower has the form of the first ViT."""
  return (
    _is_tower(network)
    and not (network.pre_norm or is_eva(network))
    and block_argument(network, "layer_scale") is None
    and network.projection is None
    and network.has_class_token
    and network.positions == "learned"
  )


def block_argument(network: Network, name: str) -> Any:
  """Returns an argument that all blocks of a network are given, or None."""
  return getattr(getattr(network, "block", None), "keywords", {}).get(name)


def _is_tower(network: Network) -> bool:
  return isinstance(network, VisionTransformer)
