"""ILA's alignment and the parts it takes from X-CLIP."""

import functools

import flax.linen as nn
import jax.numpy as jnp

from convert_weights.formats import ila, xclip
from convert_weights.rules import under
from temporal_jax import layers, models, ops
from temporal_jax.models.backbones.video_text import VideoTextModel
from temporal_jax.models.blocks.frame_integration import (
  DirectionClassifier,
  MultiframeIntegration,
)
from temporal_jax.models.blocks.prompt import VideoSpecificPrompt
from temporal_jax.models.blocks.transformer import TransformerBlock
from tests.golden.reference import Reference, function, stateless

_OF_SSV2 = "dense"  # Kind of alignment, no part of a tensor's name.
_ALIGN = "models/align.py"
_MIT = "models/mit.py"
_HEAD = (
  "MultiframeIntegrationTransformer "
  "(official commented-out Something-Something head enabled)"
)
_FRAMES = {"x": "n t c", "out": "n c"}


def _mask(constructor):
  size = (constructor["resolution"],) * 2
  return functools.partial(_mask_of_double, size=size)


def _mask_of_double(points, size):
  """The stored input is twice the point."""
  return ops.alignment_mask(0.5 * points, size=size)


def _disturbance(constructor):
  return 0.2 * 0.5 ** constructor.get("align_decay_calls", 0)


def _grid(constructor):
  """Rows and columns of patches."""
  return (constructor["input_resolution"] // constructor["patch_size"],) * 2


def _frames(constructor):
  return {"t": constructor["T"]}


def _alignment(kind):
  """The row of one kind; pairs' two vectors are concatenated officially."""

  def build(constructor):
    constructor.ignore("d_model")
    disturbed = constructor["is_training"]
    if not disturbed:
      constructor.ignore("align_decay_calls")
    return layers.PairAlignment(
      kind=kind,
      grid=_grid(constructor),
      disturbance=_disturbance(constructor) if disturbed else 0.0,
    )

  def name_outputs(out):
    (aligned, interactive), aux = out
    return {
      "pair": jnp.concatenate([aux["pairs"][:, :, 0], aux["pairs"][:, :, 1]], -1),
      "aligned_frame": aligned,
      "interactive_feature": interactive,
    }

  return Reference(
    build=build,
    axes={
      "pre": "n t l c",
      "cur": "n t l c",
      "cls_token": "n t 1 c",
      "pair": "n t c",
      "aligned_frame": "n t l c",
      "interactive_feature": "n t l c",
    },
    rules=lambda c: ila.pair_alignment(kind),
    sizes=_frames,
    name_outputs=name_outputs,
  )


def _block(constructor):
  constructor.ignore("d_model")
  constructor.only("droppath", 0.0)
  branch = functools.partial(
    layers.LearnableAlignment,
    grid=_grid(constructor),
    disturbance=_disturbance(constructor),
    disturbed=constructor["is_training"],
  )
  return TransformerBlock(
    constructor["n_head"], temporal=models.Temporal(attention_branch=branch)
  )


def _integration(constructor):
  constructor.ignore("embed_dim")
  return MultiframeIntegration(
    num_layers=constructor["layers"], num_frames=constructor["T"]
  )


def _integration_and_classifier(constructor):
  return nn.Sequential(
    [
      _integration(constructor),
      DirectionClassifier(constructor["num_classes"]),
    ]
  )


def _prompt(constructor):
  constructor.ignore("embed_dim")
  return VideoSpecificPrompt(
    num_layers=constructor["layers"], alpha=constructor.get("alpha", 0.1)
  )


def _network(constructor, **kwargs):
  branch = functools.partial(
    layers.LearnableAlignment,
    kind=kwargs.pop("kind"),
    disturbance=_disturbance(constructor),
    disturbed=constructor["is_training"],
  )
  patch_size, width = (constructor[f"vision_{k}"] for k in ("patch_size", "width"))
  return VideoTextModel(
    patch_size=patch_size,
    width=width,
    depth=constructor["vision_layers"],
    num_heads=width // 64,
    grid=constructor["image_resolution"] // patch_size,
    projection=constructor["embed_dim"],
    num_frames=constructor["T"],
    integration_depth=constructor["mit_layers"],
    temporal=models.Temporal(attention_branch=branch),
    **kwargs,
  )


def _video_text(constructor):
  # The texts' number, and the weights, which the rule makes.
  constructor.ignore("classes", "prompts_alpha")
  constructor.only("use_cache", False)
  return _network(
    constructor,
    kind="separable",
    text_width=constructor["transformer_width"],
    text_depth=constructor["transformer_layers"],
    text_heads=constructor["transformer_heads"],
    vocabulary=constructor.get("vocab_size", 49408),
    context=constructor["context_length"],
    prompt_depth=constructor["prompts_layers"],
  )


def _video_classifier(constructor):
  return _network(
    constructor,
    kind=_OF_SSV2,
    head="linear",
    num_classes=constructor["num_classes"],
  )


def _name_network_outputs(out):
  logits, aux = out
  blocks = (f"block{i + 1}" for i in range(len(aux)))
  losses = [aux[b]["alignment_loss"] for b in blocks if b in aux]
  named = {
    "logits": logits,
    "cosine_losses": jnp.stack(losses),
    "cls_ln_post": aux["class_tokens"],
    "cls_features": aux["frame_features"],
    "video_features": aux["features"],
  }
  if "text_features" in aux:
    named["text_features"] = aux["text_features"]
  return named


_NETWORK = {
  "image": "n t h w c",
  "text": "k context",
  "logits": "n k",
  "cosine_losses": "layers",
  "cls_ln_post": "n t c",
  "cls_features": "n t d",
  "video_features": "n d",
  "text_features": "k d",
}

REFERENCES = {
  (_ALIGN, "aligned_mask_generation"): Reference(
    build=_mask,
    axes={"point": "points xy", "out": "points h w"},
    call=function,
  ),
  (_ALIGN, "ILA"): _alignment("separable"),
  (
    _ALIGN,
    "ILA (SSv2 variant, official commented-out block enabled)",
  ): _alignment(_OF_SSV2),
  ("models/mat.py", "MultiAxisAttentionBlock"): Reference(
    build=_block,
    axes={"x": "n t l c", "out": "n t l c", "cosine": ""},
    rules=lambda c: ila.block("separable"),
    sizes=_frames,
    name_outputs=lambda out: {
      "out": out[0],
      "cosine": out[1]["alignment_loss"],
    },
  ),
  (_MIT, "MultiframeIntegrationTransformer"): Reference(
    build=_integration,
    axes=_FRAMES,
    rules=lambda c: xclip.frame_integration(),
  ),
  (_MIT, _HEAD): Reference(
    build=_integration_and_classifier,
    axes={"x": "n t c", "out": "n classes"},
    rules=lambda c: [
      *under(xclip.frame_integration(), "layers_0", ""),
      *under(ila.direction_classifier(), "layers_1", ""),
    ],
  ),
  ("models/prompt.py", "VideoSpecificPrompt"): Reference(
    build=_prompt,
    axes={"text": "n k c", "visual": "n m c", "out": "n k c"},
    rules=lambda c: xclip.prompt(),
    call=stateless,
  ),
  ("models/xclip.py", "XCLIP"): Reference(
    build=_video_text,
    axes=_NETWORK,
    rules=lambda c: ila.video_text("separable"),
    name_outputs=_name_network_outputs,
  ),
  (
    "models/mat.py, models/mit.py, models/align.py "
    "(Something-Something blocks enabled)",
    "MultiAxisTransformer + MultiframeIntegrationTransformer",
  ): Reference(
    build=_video_classifier,
    axes=_NETWORK,
    rules=lambda c: ila.video_classifier(_OF_SSV2),
    name_outputs=_name_network_outputs,
  ),
}
