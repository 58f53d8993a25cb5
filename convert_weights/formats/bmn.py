"""Rules of the boundary-matching network of alibaba-mmai-research/TAdaConv."""

from convert_weights.rules import (
  Rule,
  conv1d,
  conv1d_pointwise,
  conv2d,
  conv2d_pointwise,
  under,
)
from temporal_jax.localization import BMN


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
