"""ViTs on ImageNet-21k, as timm and as their authors' .npz name them."""

import re

import jax
import numpy as np
import pytest

from convert_weights.apply import revert_rules
from convert_weights.formats import google_vit, timm
from convert_weights.plan import plan_conversion
from tests.support import conversion_plans, published_checkpoints

(TIMM, _), (GOOGLE,) = timm.FORMATS, google_vit.FORMATS
_SIZES = {"width": 32, "depth": 2, "patch": 4, "grid": 4, "classes": 5}
_TOWER = {"width": 32, "depth": 2, "num_heads": 2, "patch_size": 4, "grid": 4}
_SHAPES = {
  TIMM.name: published_checkpoints.timm_vit(**_SIZES),
  GOOGLE.name: published_checkpoints.google_vit(**_SIZES, heads=2),
}
_BEFORE = {TIMM.name: "pre_logits.fc.", GOOGLE.name: "pre_logits/"}
BOTH = pytest.mark.parametrize("source", [TIMM, GOOGLE], ids=lambda source: source.name)


def _in21k(num_classes=5, **kwargs):
  sizes = {**_TOWER, "representation": 32, **kwargs}
  return conversion_plans.build("vit_b16_in21k", num_classes, **sizes)


@BOTH
def test_goes_in_whole_and_back_exactly(source):
  network = _in21k()
  tensors = conversion_plans.draw(_SHAPES[source.name])
  variables = conversion_plans.converted(source, network, tensors)
  back = revert_rules(source.rules(network), variables)
  assert back.keys() == tensors.keys()
  for name, value in back.items():
    np.testing.assert_array_equal(value, tensors[name])


def test_both_namings_of_one_network_agree():
  """The two are written apart; Flax's layout is transposed for torch here."""
  flax = conversion_plans.draw(_SHAPES[GOOGLE.name])
  torch = _as_timm(flax)
  assert {n: t.shape for n, t in torch.items()} == _SHAPES[TIMM.name]
  network = _in21k()
  jax.tree.map(
    np.testing.assert_array_equal,
    conversion_plans.converted(GOOGLE, network, flax),
    conversion_plans.converted(TIMM, network, torch),
  )


def _as_timm(flax):
  """Timm's tensors for a file of the authors."""

  def linear(name, theirs):
    return {
      f"{name}.weight": flax[f"{theirs}/kernel"].T,
      f"{name}.bias": flax[f"{theirs}/bias"],
    }

  def norm(name, theirs):
    return {
      f"{name}.weight": flax[f"{theirs}/scale"],
      f"{name}.bias": flax[f"{theirs}/bias"],
    }

  made = {
    "cls_token": flax["cls"],
    "pos_embed": flax["Transformer/posembed_input/pos_embedding"],
    "patch_embed.proj.weight": flax["embedding/kernel"].transpose(3, 2, 0, 1),
    "patch_embed.proj.bias": flax["embedding/bias"],
    **norm("norm", "Transformer/encoder_norm"),
    **linear("pre_logits.fc", "pre_logits"),
    **linear("head", "head"),
  }
  for i in range(2):
    block, theirs = f"blocks.{i}", f"Transformer/encoderblock_{i}"
    inside = f"{theirs}/MultiHeadDotProductAttention_1"
    kinds = ("query", "key", "value")
    weights = [flax[f"{inside}/{k}/kernel"].reshape(32, 32).T for k in kinds]
    biases = [flax[f"{inside}/{k}/bias"].reshape(32) for k in kinds]
    out = flax[f"{inside}/out/kernel"].reshape(32, 32).T
    made |= {
      **norm(f"{block}.norm1", f"{theirs}/LayerNorm_0"),
      f"{block}.attn.qkv.weight": np.concatenate(weights),
      f"{block}.attn.qkv.bias": np.concatenate(biases),
      f"{block}.attn.proj.weight": out,
      f"{block}.attn.proj.bias": flax[f"{inside}/out/bias"],
      **norm(f"{block}.norm2", f"{theirs}/LayerNorm_2"),
      **linear(f"{block}.mlp.fc1", f"{theirs}/MlpBlock_3/Dense_0"),
      **linear(f"{block}.mlp.fc2", f"{theirs}/MlpBlock_3/Dense_1"),
    }
  return made


@BOTH
def test_a_tensor_renamed_is_a_problem_twice(source):
  tensors = published_checkpoints.structs(_SHAPES[source.name])
  conversion_plans.check_renamed(source, _in21k(), tensors, tensors)


@BOTH
def test_videos_networks_begin_with_them(source):
  tensors = published_checkpoints.structs(_SHAPES[source.name])
  network = conversion_plans.build("xvit_b16", 7, **_TOWER)
  done = conversion_plans.planned(source, network, tensors)
  assert done.problems == ()
  new = {leaf.split("/")[1] for leaf in done.new}
  assert new == {"temporal_embedding", "head"}
  assert len(done.skipped) == 4  # The classifier, and the layer before it.
  network = conversion_plans.build("tsm_vit_b16", {"verb": 3, "noun": 4}, **_TOWER)
  done = conversion_plans.planned(source, network, tensors)
  assert done.problems == ()
  assert {leaf.split("/")[2] for leaf in done.new} == {"verb", "noun"}


@BOTH
def test_tadaformer_begins_with_them(source):
  tensors = published_checkpoints.structs(_SHAPES[source.name])
  arguments = {**_TOWER, "temporal": "adaptive_branches"}
  todo = plan_conversion("tadaformer_b16_imagenet", tensors, num_classes=7, **arguments)
  assert todo.source.name == source.name
  assert todo.network.activation == "gelu"
  new = {re.sub(r".+/block\d/(\w+)/.+", r"\1", leaf) for leaf in todo.mapping.new}
  head = {"params/head/bias", "params/head/kernel"}
  assert new == {"attention_branch", "mlp_branch"} | head


@BOTH
def test_newer_files_lack_the_layer_before_the_classes(source):
  tensors = {
    name: tensor
    for name, tensor in published_checkpoints.structs(_SHAPES[source.name]).items()
    if not name.startswith(_BEFORE[source.name])
  }
  done = conversion_plans.planned(source, _in21k(representation=None), tensors)
  assert done.problems == ()
  assert not done.skipped
  done = conversion_plans.planned(source, _in21k(), tensors)
  assert [line.split()[1] for line in done.problems] == [
    "params/representation/bias",
    "params/representation/kernel",
  ]


@BOTH
def test_a_classifier_does_not_come_without_the_layer_before_it(source):
  tensors = published_checkpoints.structs(_SHAPES[source.name])
  done = conversion_plans.planned(source, _in21k(representation=None), tensors)
  (problem,) = done.problems
  assert problem.startswith("! params/head/kernel (32, 5): cannot be made from")
  assert _BEFORE[source.name] in problem
  features = conversion_plans.planned(
    source, _in21k(None, representation=None), tensors
  )
  assert features.problems == ()


@BOTH
def test_published_files_are_used_whole(source):
  shapes = (
    published_checkpoints.timm_vit
    if source is TIMM
    else published_checkpoints.google_vit
  )()
  network = conversion_plans.build("vit_b16_in21k", 21843)
  done = conversion_plans.planned(
    source, network, published_checkpoints.structs(shapes)
  )
  assert done.problems == ()
  assert not done.skipped
  assert not done.new
