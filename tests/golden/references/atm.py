"""ATM's arithmetic cues, and CLIP's block with and without them."""

import functools

import flax.linen as nn

from convert_weights.formats import atm, clip
from convert_weights.rules import under
from temporal_jax import layers, models, ops
from temporal_jax.models.blocks.transformer import TransformerBlock
from tests.golden.arguments import UnsupportedError
from tests.golden.reference import Reference, first

_FILE = "modules/ATM.py"
_MAPS = {"x": "n t h w c", "out": "n t h w c"}
_TOKENS = {"x": "n t l c", "out": "n t l c"}


def _segments(constructor):
  return {"t": constructor["num_segments"]}


def _sizes(constructor):
  """Operators in the official constructor."""
  length, window, columns = constructor.get("window", (5, 9, 9))
  if window != columns:
    raise UnsupportedError(f"window={[length, window, columns]}")
  return {"length": constructor.get("context", length), "window": window}


def _stride(constructor, default):
  return 2 if constructor.get("downsample", default) else 1


def _block(operation, downsample=True):
  """The row of a block of one operation; `downsample` is its default."""

  def build(constructor):
    constructor.ignore("d_in")
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
  constructor.ignore("d_in")
  constructor.only("use_corr_sampler", False)
  return nn.Sequential(
    [
      layers.ConvNormRelu(constructor["d_hid"], stride=_stride(constructor, True)),
      functools.partial(ops.temporal_correlation, **_sizes(constructor)),
    ]
  )


def _modeling(constructor):
  constructor.ignore("d_in", "eva_trans")  # The second is the input's layout.
  return layers.ArithmeticModeling(
    **_sizes(constructor),
    hidden=constructor["d_hid"],
    stride=_stride(constructor, False),
  )


def _window_encoder(constructor):
  constructor.ignore("num_segments", "window")
  return layers.WindowEncoder(tuple(constructor.get("chnls", (4, 16, 64, 64))))


def _clip_block(constructor):
  constructor.ignore("d_model", "layer_id")
  constructor.only("attn_mask", None)
  constructor.only("dropout", 0.0)
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
    build=_window_encoder,
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
