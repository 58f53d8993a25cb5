"""Rules of the boundary-matching network of alibaba-mmai-research/TAdaConv."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from convert_weights.localizer_format import LocalizerFormat, find_tensor
from convert_weights.rules import (
  Rule,
  conv1d,
  conv1d_pointwise,
  conv2d,
  conv2d_pointwise,
  under,
)
from temporal_jax.localization import BMN
from temporal_jax.localization.networks import boundary_matching

_ORIGIN = "alibaba-mmai-research/TAdaConv"
_GROUPS = 4  # All grouped convolutions there have as many.
_TASKS = ("verb", "noun")


def network(network: BMN) -> list[Rule]:
  """Rules of a `BMN`."""
  base = [
    rule
    for layer in range(network.base_layers)
    for rule in conv1d(
      f"base{layer + 1}", f"backbone.conv_layer.{2 * layer}", bias=True
    )
  ]
  return [*base, *under(head(), "", "head")]


def head() -> list[Rule]:
  """Rules of a `BaseBMN`."""
  rules = [
    *conv1d("proposal_base", "x_1d_p.0", bias=True),
    Rule("params/proposal/kernel", ("x_3d_p.0.weight",), "o i n 1 1 -> n i o"),
    Rule("params/proposal/bias", ("x_3d_p.0.bias",), "c -> c"),
  ]
  for ours in ("start", "end"):
    theirs = f"x_1d_{ours[0]}"
    rules += conv1d(f"{ours}_hidden", f"{theirs}.0", bias=True)
    rules += conv1d_pointwise(f"{ours}_score", f"{theirs}.2")
  for ours, theirs in (
    ("confidence", "p"),
    ("regression", "r"),
    ("verb_classes", "verb"),
    ("noun_classes", "noun"),
  ):
    rules += under(_map_head(), ours, f"x_2d_{theirs}")
  return rules


def _map_head() -> list[Rule]:
  return [
    *conv2d_pointwise("layer1", "0"),
    *conv2d("layer2", "2", bias=True),
    *conv2d("layer3", "4", bias=True),
    *conv2d_pointwise("layer4", "6"),
  ]


def arguments(tensors: Mapping[str, Any]) -> dict[str, Any]:
  """Returns the arguments of a `BMN` that its tensors show, and its channels.

  Raises:
    ValueError: If they are not such tensors.
  """
  first = find_tensor(tensors, "backbone.conv_layer.0.weight", _ORIGIN)
  mask = find_tensor(tensors, "head.sample_mask", _ORIGIN)
  bins = find_tensor(tensors, "head.x_3d_p.0.weight", _ORIGIN).shape[2]
  layer = re.compile(r"backbone\.conv_layer\.\d+\.weight")
  classes = {
    task: tensors[f"head.x_2d_{task}.6.weight"].shape[0]
    for task in _TASKS
    if f"head.x_2d_{task}.6.weight" in tensors
  }
  length, columns = mask.shape
  return {
    "channels": _GROUPS * first.shape[1],
    "length": length,
    "num_classes": classes or None,
    "durations": columns // (bins * length),
    "bins": bins,
    "base_layers": sum(layer.fullmatch(name) is not None for name in tensors),
    "regression": "head.x_2d_r.0.weight" in tensors,
  }


def _constants(network: BMN, length: int) -> dict[str, np.ndarray]:
  """Returns the samples of the proposals as the code there keeps them."""
  samples = boundary_matching.place_samples(
    network.durations or length,
    bins=network.bins,
    samples_per_bin=network.samples_per_bin,
    boundary_ratio=network.boundary_ratio,
  )
  mask = boundary_matching.sample_mask(samples, length)
  return {"head.sample_mask": mask.reshape(length, -1)}


FORMAT = LocalizerFormat(
  origin=_ORIGIN,
  rules=network,
  arguments=arguments,
  constants=_constants,
  skip={r"head\.sample_mask": "it follows from the sizes"},
)
