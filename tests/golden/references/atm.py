"""ATM's arithmetic cues, and CLIP's block with and without them."""

import functools

import flax.linen as nn

from convert_weights.formats import atm, clip
from convert_weights.rules import under
from temporal_jax import layers, models, ops
from temporal_jax.models.blocks.transformer import TransformerBlock
from tests.golden.reference import Reference, first

_FILE = "modules/ATM.py"
_MAPS = {"x": "n t h w c", "out": "n t h w c"}
_TOKENS = {"x": "n t l c", "out": "n t l c"}


def _segments(constructor):
  return {"t": constructor["num_segments"]}


def _sizes(constructor):
  """What the official constructor says of the operators."""
  length, window, _ = constructor.get("window", (5, 9, 9))
  return {"length": constructor.get("context", length), "window": window}


def _stride(constructor, default):
  return 2 if constructor.get("downsample", default) else 1


def _block(operation, downsample=True):
  """The row of a block of one operation; `downsample` is its default."""

  def build(constructor):
    sizes = {
      **_sizes(constructor),
      "hidden": constructor.get("d_hid", 64),
      "stride": _stride(constructor, downsample),
    }
    if constructor.get("res", True):
      return layers.ArithmeticModeling((operation,), **sizes)
    cue = layers.ArithmeticCue(operation, **sizes)
    return nn.Sequential([cue, lambda x: (nn.relu(x), {})])

  def rules(constructor):
    strided = _stride(constructor, downsample) == 2
    leaf = operation if constructor.get("res", True) else "layers_0"
    return under(atm.cue(operation, downsample=strided), leaf, "")

  return Reference(
    build=build,
    axes=_MAPS,
    rules=rules,
    sizes=_segments,
    name_outputs=first,
  )


def _similarities(constructor):
  """The reducing convolution and the operator behind it."""
  return nn.Sequential(
    [
      layers.ConvNormRelu(constructor["d_hid"], stride=_stride(constructor, True)),
      functools.partial(ops.temporal_correlation, **_sizes(constructor)),
    ]
  )


def _modeling(constructor):
  return layers.ArithmeticModeling(
    **_sizes(constructor),
    hidden=constructor["d_hid"],
    stride=_stride(constructor, False),
  )


def _clip_block(constructor):
  slots = models.Temporal()
  if constructor.get("atm"):
    slots = models.Temporal(block_input=layers.ArithmeticModeling)
  return TransformerBlock(constructor["n_head"], temporal=slots)


REFERENCES = {
  (_FILE, "SimBlock"): _block("correlation"),
  (_FILE, "DiffBlock"): _block("difference"),
  (_FILE, "IntegrationBlock"): _block("sum"),
  (_FILE, "DivBlock"): _block("log_ratio", downsample=False),
  (_FILE, "SimTransform"): Reference(
    build=_similarities,
    axes={"x": "n t h w c", "out": "n t h w l u v"},
    rules=lambda c: under(atm.reduction(), "layers_0", ""),
    sizes=_segments,
  ),
  (_FILE, "Conv2D_UV2C"): Reference(
    build=lambda c: layers.WindowEncoder(tuple(c.get("chnls", (4, 16, 64, 64)))),
    axes={"x": "n t h w l u v", "out": "n t h w l c"},
    rules=lambda c: atm.window_encoder(),
  ),
  (_FILE, "ATMBlock"): Reference(
    build=_modeling,
    axes=_TOKENS,
    rules=lambda c: atm.modeling(downsample=_stride(c, False) == 2),
    sizes=_segments,
    name_outputs=first,
  ),
  ("clip/model.py", "ResidualAttentionBlock"): Reference(
    build=_clip_block,
    axes=_TOKENS,
    rules=lambda c: [*clip.transformer_block(), *atm.slots()],
    sizes=_segments,
    name_outputs=first,
  ),
}
