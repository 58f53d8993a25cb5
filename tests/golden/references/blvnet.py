"""bLVNet's aggregation and blocks."""

import functools

from convert_weights.formats import blvnet
from temporal_jax import layers, models
from temporal_jax.models.backbones.big_little import BigLittleModule, BigLittleNet
from temporal_jax.models.blocks.residual import BottleneckBlock
from tests.golden.reference import Reference, first

_FILE = "core/models/blvnet_tam_backbone.py"
_STAGE_SIZES = {50: (3, 4, 6, 3), 101: (4, 8, 18, 3), 152: (5, 12, 30, 3)}
_MAPS = {"x": "n t h w c", "out": "n t h w c"}


def _temporal(constructor):
  """The aggregation at the start of a branch, of as many taps."""
  taps = constructor["blending_frames"]
  return models.Temporal(
    branch_input=functools.partial(layers.TemporalAggregation, taps=taps)
  )


def _aggregation(constructor):
  constructor.ignore("channels")
  return layers.TemporalAggregation(taps=constructor["blending_frames"])


def _bottleneck(constructor):
  constructor.ignore("inplanes", "downsample")
  temporal = _temporal(constructor)
  if not constructor["with_tam"]:
    constructor.ignore("blending_frames")
    temporal = models.Temporal()
  return BottleneckBlock(
    constructor["planes"] // 4,
    constructor["stride"],
    temporal=temporal,
    pooled_shortcut=True,
    final_relu=constructor["last_relu"],
  )


def _bottleneck_rules(constructor):
  pooled = constructor["stride"] > 1
  return blvnet.bottleneck(constructor["blending_frames"], pooled=pooled)


def _module(constructor):
  constructor.ignore("in_channels")
  return BigLittleModule(
    constructor["out_channels"],
    constructor["blocks"],
    alpha=constructor["alpha"],
    beta=constructor["beta"],
    stride=constructor["stride"],
    temporal=_temporal(constructor),
  )


def _net(constructor):
  constructor.ignore("groups")  # The input's frames.
  return BigLittleNet(
    constructor["num_classes"],
    _STAGE_SIZES[constructor["depth"]],
    constructor["alpha"],
    constructor["beta"],
    temporal=_temporal(constructor),
    dropout=constructor["dropout"],
  )


def _name_net_outputs(out):
  return {"logits": out[0], "pooled": out[1]["frame_features"]}


def _frames(constructor):
  return {"t": constructor["num_frames"]}


REFERENCES = {
  (_FILE, "TAM"): Reference(
    build=_aggregation,
    axes=_MAPS,
    rules=lambda c: blvnet.aggregation(c["blending_frames"]),
    sizes=lambda c: {"t": c["duration"]},
    name_outputs=first,
  ),
  (_FILE, "Bottleneck"): Reference(
    build=_bottleneck,
    axes=_MAPS,
    rules=_bottleneck_rules,
    sizes=_frames,
    name_outputs=first,
  ),
  (_FILE, "bLModule"): Reference(
    build=_module,
    axes=_MAPS,
    rules=lambda c: blvnet.big_little_module(c["blending_frames"]),
    sizes=_frames,
    name_outputs=first,
  ),
  ("core/models/blvnet_tam.py", "bLVNet_TAM"): Reference(
    build=_net,
    axes={"x": "n t h w c", "logits": "n classes", "pooled": "n t c"},
    rules=lambda c: blvnet.video_network(c["blending_frames"]),
    sizes=lambda c: {"c": c["input_channels"]},
    name_outputs=_name_net_outputs,
  ),
}
