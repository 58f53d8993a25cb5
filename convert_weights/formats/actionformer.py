"""Rules of happyharrycn/actionformer_release."""

from collections.abc import Mapping
from typing import Any

from convert_weights.localizer_format import LocalizerFormat, find_tensor
from convert_weights.rules import (
  Rule,
  conv1d,
  conv1d_pointwise,
  under,
)
from temporal_jax.localization import ActionFormer

_ORIGIN = "happyharrycn/actionformer_release"


def block() -> list[Rule]:
  """Rules of an `ActionFormerBlock` from a `TransformerBlock`."""
  attention = [
    Rule("params/relative_bias", ("rel_pe",), "1 1 m w -> m w"),
    *conv1d_pointwise("out", "proj"),
  ]
  for name in ("query", "key", "value"):
    attention += [
      Rule(f"params/{name}_taps", (f"{name}_conv.conv.weight",), "c 1 k -> k c"),
      *_norm(f"{name}_norm", f"{name}_norm"),
      *conv1d_pointwise(name, name),
    ]
  return [
    *_norm("norm1", "ln1"),
    *_norm("norm2", "ln2"),
    *under(attention, "attention", "attn"),
    *conv1d_pointwise("mlp/expand", "mlp.0"),
    *conv1d_pointwise("mlp/contract", "mlp.3"),
    Rule("params/attention_scale/scale", ("drop_path_attn.scale",), "1 c 1 -> c"),
    Rule("params/mlp_scale/scale", ("drop_path_mlp.scale",), "1 c 1 -> c"),
  ]


def network(network: ActionFormer) -> list[Rule]:
  """Rules of an `ActionFormer` from a `PtTransformer`."""
  del network
  backbone = [
    *conv1d("embedding{i}", "embd.{i-1}.conv"),
    *_norm("embedding{i}_norm", "embd_norm.{i-1}"),
    *under(block(), "stem{i}", "stem.{i-1}"),
    *under(block(), "branch{i}", "branch.{i-1}"),
  ]
  neck = [
    *_norm("norm{i}", "fpn_norms.{i-1}"),
    *conv1d_pointwise("lateral{i}", "lateral_convs.{i-1}.conv", bias=False),
    Rule("params/taps{i}", ("fpn_convs.{i-1}.conv.weight",), "c 1 k -> k c"),
  ]
  return [
    *under(backbone, "", "backbone"),
    *under(neck, "pyramid", "neck"),
    *_head("classification", "cls_head", "cls_head"),
    *_head("regression", "reg_head", "offset_head"),
    Rule("params/scale{i}", ("reg_head.scale.{i-1}.scale",), "->"),
  ]


def _norm(leaf: str, tensor: str) -> list[Rule]:
  """Rules of a `LayerNorm` of (B, C, T)."""
  return [
    Rule(f"params/{leaf}/scale", (f"{tensor}.weight",), "1 c 1 -> c"),
    Rule(f"params/{leaf}/bias", (f"{tensor}.bias",), "1 c 1 -> c"),
  ]


def _head(leaf: str, tensor: str, last: str) -> list[Rule]:
  """Rules of a head whose last convolution has a name of its own."""
  rules = [
    *conv1d("layer{i}", "head.{i-1}.conv"),
    *_norm("layer{i}_norm", "norm.{i-1}"),
    *conv1d("last", f"{last}.conv"),
    Rule("params/bias", (f"{last}.conv.bias",), "c -> c"),
  ]
  return under(rules, leaf, tensor)


def arguments(tensors: Mapping[str, Any]) -> dict[str, Any]:
  """Returns the arguments of a network that its tensors show, and its channels.

  Raises:
    ValueError: If they are not such tensors.
  """
  first = find_tensor(tensors, "backbone.embd.0.conv.weight", _ORIGIN)
  last = find_tensor(tensors, "cls_head.cls_head.conv.weight", _ORIGIN)
  return {
    "channels": first.shape[1],
    "length": None,
    "num_classes": last.shape[0],
    "width": first.shape[0],
    "top_down": "neck.lateral_convs.0.conv.weight" in tensors,
    "relative_bias": "backbone.stem.0.attn.rel_pe" in tensors,
  }


FORMAT = LocalizerFormat(origin=_ORIGIN, rules=network, arguments=arguments)
