"""Networks of the league: each is a backbone with one temporal operator."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

RESNET = "resnet"  # Backbones, see `config.BACKBONES`.
BIG_LITTLE = "big_little"
VIT = "vit"
BACKBONE_NAMES: Mapping[str, str] = MappingProxyType(
  {RESNET: "ResNet", BIG_LITTLE: "big-little ResNet", VIT: "ViT"}
)


class Group(NamedTuple):
  """Backbones that are ranked with each other.

  Attributes:
    backbones: Keys of `config.BACKBONES`.
    task: Their main task, of the sweep, of variants and of further seeds.
  """

  backbones: Sequence[str]
  task: str


GROUPS: Mapping[str, Group] = MappingProxyType(
  {
    "resnets": Group((RESNET, BIG_LITTLE), task="something_moves"),
    # In trials of 400 steps of something_moves, with one seed, most knew no
    # more of the order than positions of frames show.
    "vits": Group((VIT,), task="camera_motion"),
  }
)
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Entry(NamedTuple):
  """A network of the league.

  Attributes:
    backbone: The network without the operator.
    family: Entries of a family and a backbone share one learning rate.
    label: The operator in a table's words.
    temporal: Text of the operator, see docs/operators.md.
    settings: Further changes to the config: values by the names of fields.
    published: Whether a paper has the operator so; others are variants, which
      are trained once.
  """

  backbone: str
  family: str
  label: str
  temporal: str
  settings: Mapping[str, Any] = _NOTHING
  published: bool = False


def _arithmetic(label: str, *operations: str, published: bool = False, **more) -> Entry:
  """Returns ATM with some operations in the ResNet."""
  named = {"operations": operations, **more}
  text = ", ".join(f"{name}={value!r}" for name, value in named.items())
  return Entry(
    RESNET, "ATM", f"ATM, {label}", f"arithmetic({text})", published=published
  )


def _calibrated(label: str, arguments: str) -> Entry:
  """Returns TAdaConv without aggregation in the ResNet."""
  text = f"adaptive_convolution({arguments})" if arguments else "adaptive_convolution"
  return Entry(RESNET, "TAda", f"TAdaConv, {label}", text)


_PAIR = ("correlation", "difference")
# A sixth of the width, as in the paper's networks.
_ALIGNED = "alignment(features=8)"
_NARROW_CUE = "operations=('difference',), hidden=8"
_HEAD = {"model.overrides.head": "attention"}

ENTRIES: Mapping[str, Entry] = MappingProxyType(
  {
    # The ResNet, whose frames do not meet without an operator.
    "resnet_none": Entry(RESNET, "none", "no operator (TSN)", "none", published=True),
    "tsm": Entry(RESNET, "TSM", "temporal shift (TSM)", "shift", published=True),
    "tsm_causal": Entry(RESNET, "TSM", "shift from the past only", "causal_shift"),
    "tam": Entry(
      RESNET, "TAM", "aggregation, 3 taps (TAM)", "aggregation", published=True
    ),
    "tam_5": Entry(RESNET, "TAM", "aggregation, 5 taps", "aggregation(taps=5)"),
    "tam_7": Entry(RESNET, "TAM", "aggregation, 7 taps", "aggregation(taps=7)"),
    "tam_causal": Entry(
      RESNET, "TAM", "aggregation of the past only", "causal_aggregation"
    ),
    "atm": _arithmetic("product then difference", *_PAIR, published=True),
    "atm_cascade": _arithmetic("cascade of both", *_PAIR, combination="cascade"),
    "atm_parallel": _arithmetic("both in parallel", *_PAIR, combination="parallel"),
    "atm_product": _arithmetic("product", "correlation"),
    "atm_difference": _arithmetic("difference", "difference"),
    "atm_sum": _arithmetic("sum", "sum"),
    "atm_quotient": _arithmetic("quotient", "log_ratio"),
    "atm_context": _arithmetic("context features", "context"),
    "tada": Entry(
      RESNET, "TAda", "TAdaConv and aggregation (TAda2D)", "adaptive", published=True
    ),
    "tada_conv": _calibrated("full route function", ""),
    "tada_static": _calibrated("learned, static", "route=static"),
    "tada_static_frames": _calibrated(
      "learned, per frame", "route=static(per_frame=True)"
    ),
    "tada_clip": _calibrated("dynamic, per clip", "route=clip"),
    "tada_clip_frames": _calibrated(
      "dynamic, clip to frames", "route=clip(per_frame=True)"
    ),
    "tada_linear": _calibrated(
      "linear, no global context", "route=mlp(linear=True, global_context=False)"
    ),
    "tada_no_neighbours": _calibrated(
      "no context at all", "route=mlp(taps=(1, 1), global_context=False)"
    ),
    "tada_no_global": _calibrated(
      "no global context", "route=mlp(global_context=False)"
    ),
    "tada_random": _calibrated("random at first", "route=mlp(identity_init=False)"),
    "tada_quarter": _calibrated("on 1/4 of the channels", "share=0.25"),
    "tada_16th": _calibrated("on 1/16 of the channels", "share=0.0625"),
    "tada_pooling": Entry(
      RESNET, "TAda", "aggregation only", "adaptive(convolution=None)"
    ),
    "tada_v2": Entry(
      RESNET,
      "TAda",
      "TAdaConvV2 and aggregation",
      "adaptive_attention",
      published=True,
    ),
    "tada_v2_conv": Entry(
      RESNET, "TAda", "TAdaConvV2", "adaptive_attention(after_convolution=None)"
    ),
    "tada_layer_norm": Entry(
      RESNET, "TAda", "TAdaConv of TAdaConvNeXt", "adaptive_depthwise"
    ),
    # Two branches over the same frames, or over alternate ones.
    "blresnet": Entry(
      BIG_LITTLE,
      "none",
      "bLResNet, no operator",
      "none",
      {"model.overrides.alternate": False},
    ),
    "blvnet": Entry(BIG_LITTLE, "none", "bLVNet", "none", published=True),
    "blvnet_tsm": Entry(BIG_LITTLE, "TSM", "bLVNet with TSM", "shift", published=True),
    "blvnet_tam": Entry(
      BIG_LITTLE, "TAM", "bLVNet with TAM", "aggregation", published=True
    ),
    # The transformer, whose frames do not meet without an operator. With one
    # each has a learned position, which shows some of the order by itself.
    "vit_none": Entry(
      VIT,
      "none",
      "attention within frames",
      "none",
      {"model.overrides.num_temporal_positions": 0},
      published=True,
    ),
    "vit_positions": Entry(VIT, "none", "within frames, a position per frame", "none"),
    "tsm_vit": Entry(VIT, "TSM", "TSM-ViT", "residual_shift", published=True),
    "tsm_vit_attention": Entry(
      VIT, "TSM", "TSM-ViT, attention over frames", "residual_shift", _HEAD
    ),
    "xvit": Entry(
      VIT, "X-ViT", "X-ViT, attention over frames", "mixing", _HEAD, published=True
    ),
    "xvit_average": Entry(VIT, "X-ViT", "X-ViT, average", "mixing"),
    "xvit_summary": Entry(VIT, "X-ViT", "X-ViT, summary tokens", "mixing_summary"),
    "xvit_window_2": Entry(VIT, "X-ViT", "X-ViT, window 2", "mixing(window=2)", _HEAD),
    "xvit_quarter": Entry(
      VIT, "X-ViT", "X-ViT, half of the channels", "mixing_quarter", _HEAD
    ),
    "vit_attention": Entry(
      VIT, "none", "within frames, attention over frames", "none", _HEAD
    ),
    "joint": Entry(VIT, "TimeSformer", "joint attention", "joint", published=True),
    "divided": Entry(
      VIT, "TimeSformer", "divided attention", "divided", published=True
    ),
    "ata": Entry(
      VIT, "TimeSformer", "aligned attention (ATA)", "aligned", published=True
    ),
    "xclip": Entry(VIT, "X-CLIP", "messages (X-CLIP)", "messages", published=True),
    "ila": Entry(VIT, "ILA", "alignment (ILA)", _ALIGNED, published=True),
    "ila_dense": Entry(
      VIT, "ILA", "ILA, dense convolutions", "alignment_dense(features=8)"
    ),
    "ila_no_loss": Entry(
      VIT, "ILA", "ILA without its loss", _ALIGNED, {"loss.alignment": 0.0}
    ),
    "ila_undisturbed": Entry(
      VIT, "ILA", "ILA, masks not disturbed", "alignment(features=8, disturbance=0.0)"
    ),
    # As for Something-Something, whose classes are motions too.
    "tadaformer": Entry(VIT, "TAda", "TAdaFormer", "adaptive_branches", published=True),
    "tadaformer_no_pooling": Entry(
      VIT,
      "TAda",
      "TAdaFormer without pooling",
      "adaptive_branches(aggregate=False)",
    ),
    "tadaformer_plain": Entry(
      VIT,
      "TAda",
      "TAdaFormer with spatial convolutions",
      "adaptive_branches(adaptive=False, aggregate=False, temporal_projection=False)",
    ),
    "tadaformer_kinetics": Entry(
      VIT, "TAda", "TAdaFormer, as for Kinetics", "adaptive_branch"
    ),
    # With the product too, whose encoder is made for wide networks, it would
    # need 13 times the multiply-adds of the ViT without operator, not 4 times.
    "atm_vit": Entry(
      VIT, "ATM", "ATM, difference only", f"arithmetic({_NARROW_CUE})", published=True
    ),
    "atm_vit_no_class": Entry(
      VIT,
      "ATM",
      "ATM, difference only, class tokens as they are",
      f"arithmetic_patch_tokens({_NARROW_CUE})",
    ),
  }
)

# The entry whose learning rate its family takes, by backbone and family, if it
# is not the first: frames of the first do not meet, so that it only guesses.
_SWEPT = MappingProxyType(
  {
    (BIG_LITTLE, "none"): "blvnet",
    (VIT, "none"): "vit_attention",
    (VIT, "TimeSformer"): "divided",  # The middle of the three.
  }
)


class Start(NamedTuple):
  """A network without operator, whose weights all of its backbone start from.

  Attributes:
    entry: Its name in `ENTRIES`.
    steps: Updates of its training.
  """

  entry: str
  steps: int


# The ViT learns slowly: after these steps it has 30 % of the test clips right,
# the ResNet 42 %.
STARTS: Mapping[str, Start] = MappingProxyType(
  {
    RESNET: Start("resnet_none", 960),
    BIG_LITTLE: Start("blvnet", 960),
    VIT: Start("vit_none", 3840),
  }
)

# Operators of the library that no entry has, and why.
LEFT_OUT: Mapping[str, str] = MappingProxyType(
  {
    "adapter": "made for a tower that is frozen, and nothing is here",
    "adapters": "as adapter",
    "adaptive_space_and_time": "only R(2+1)D has convolutions along time",
    "causal_residual_shift": "residual_shift of the past, as tsm_causal is of tsm",
    "mixing_eight": "mixing within parts of 8 frames, which are whole clips here",
  }
)


def group_of(name: str) -> str:
  """Returns the key of `GROUPS` that an entry belongs to."""
  backbone = ENTRIES[name].backbone
  return next(key for key, group in GROUPS.items() if backbone in group.backbones)


def main_task(name: str, tasks: Sequence[str]) -> str:
  """Returns an entry's main task, or the last of `tasks` if they lack it."""
  own = GROUPS[group_of(name)].task
  return own if own in tasks else tasks[-1]


def swept(entry: Entry) -> str:
  """Returns the name of the entry whose learning rate an entry takes."""
  key = (entry.backbone, entry.family)
  own = (name for name, other in ENTRIES.items() if other[:2] == key)
  return _SWEPT.get(key) or next(own)
