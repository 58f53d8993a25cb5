"""CLIP, EVA-02-CLIP and ConvNeXts in timm's names: weights in, answers out."""

import json
import re

import jax
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import convert_weights
from convert_weights.formats import eva, timm, timm_convnext
from convert_weights.plan import plan_conversion
from convert_weights.planning import families
from tests.support import conversion_plans, published_checkpoints, torch_towers

_, CLIP = timm.FORMATS
AUTHORS, EVA = eva.FORMATS
(CONVNEXT,) = timm_convnext.FORMATS
_CLIP = {**torch_towers.TOWER, "projection": 6, "activation": "gelu"}
_EVA = {**torch_towers.TOWER, "projection": 6}
# EVA-02-CLIP's names in the authors' code, and timm's for them.
_RENAMED = (
  ("inner_attn_ln", "norm"),
  ("q_bias", "q_proj.bias"),
  ("v_bias", "v_proj.bias"),
  ("mlp.ffn_ln", "mlp.norm"),
  ("mlp.w1", "mlp.fc1_g"),
  ("mlp.w2", "mlp.fc1_x"),
  ("mlp.w3", "mlp.fc2"),
)


@pytest.fixture(scope="module")
def images():
  return np.random.default_rng(0).standard_normal((3, 16, 16, 3), np.float32)


def _answers(row, tensors, images, **arguments):
  plan = plan_conversion(row, tensors, **arguments)
  variables = convert_weights.convert(row, tensors, **arguments)
  answers, _ = jax.jit(plan.network.apply)(variables, images[:, None])
  return plan, variables, answers


# Width of the head, and the arguments that it shows.
HEADS = {
  "projection": (6, {"projection_bias": True}),
  "classifier": (5, {"projection": None}),
  "none": (0, {"projection": None}),
}


@pytest.mark.parametrize("head", HEADS)
def test_clip_gives_its_answers_and_goes_back(head, images):
  width, shown = HEADS[head]
  module = conversion_plans.shake(torch_towers.TimmClip(width))
  tensors = conversion_plans.tensors_of(module)
  asked = {k: v for k, v in _CLIP.items() if k != "projection"}
  if head == "projection":
    asked["projection"] = width
  plan, variables, answers = _answers("vit_b16", tensors, images, **asked)
  assert plan.source is CLIP
  assert shown.items() <= plan.overrides.items()
  assert plan.num_classes == (5 if head == "classifier" else None)
  with torch.no_grad():
    want = module(torch.tensor(images).permute(0, 3, 1, 2))
  assert conversion_plans.distance(answers, want) < 1e-5
  back = convert_weights.to_torch(
    "vit_b16", variables, source=CLIP.name, **{**asked, **shown}
  )
  assert back.keys() == tensors.keys()
  for key, value in back.items():
    np.testing.assert_array_equal(value, tensors[key])


@pytest.mark.parametrize(
  ("architecture", "activation"),
  [
    ("vit_base_patch16_clip_224", "gelu"),
    ("vit_base_patch16_clip_quickgelu_224", "quick_gelu"),
  ],
)
def test_the_architecture_has_the_activation(tmp_path, architecture, activation):
  tensors = conversion_plans.tensors_of(torch_towers.TimmClip(6))
  save_file(tensors, tmp_path / "model.safetensors")
  config = json.dumps({"architecture": architecture})
  (tmp_path / "config.json").write_text(config)
  saved = convert_weights.read(tmp_path)
  sizes = {**torch_towers.TOWER, "projection": 6}
  plan = plan_conversion("vit_b16", saved.tensors, settings=saved.settings, **sizes)
  assert plan.overrides["activation"] == activation
  assert not plan.assumed


def test_a_clip_is_no_plain_vit():
  tensors = conversion_plans.tensors_of(torch_towers.TimmClip(5))
  sizes = {**torch_towers.TOWER, "representation": None}
  with pytest.raises(ValueError, match="are a CLIP's image tower: give vit_b32"):
    plan_conversion("vit_b16_in21k", tensors, **sizes)


def _eva_tensors():
  """A tower in both namings."""
  shapes = published_checkpoints.eva(
    width=32, depth=2, patch=4, grid=4, features=6, hidden=85, head_width=16
  )
  authors = conversion_plans.draw(
    {name: shape for name, shape in shapes.items() if "rope" not in name}
  )
  renamed = {}
  for name, value in authors.items():
    for theirs, ours in _RENAMED:
      name = name.replace(theirs, ours)
    renamed[name] = value
  return authors, renamed


@pytest.mark.parametrize("prefix", ["", "visual.trunk."])
def test_eva_is_the_same_network_in_both_namings(prefix):
  """Files of open_clip have the prefix, next to texts."""
  authors, renamed = _eva_tensors()
  tensors = {f"{prefix}{name}": value for name, value in renamed.items()}
  if prefix:
    tensors["text.ln_final.weight"] = np.ones(3, np.float32)
  plan = plan_conversion("eva_b16", tensors, **_EVA)
  assert plan.source is EVA
  assert plan.prefix == prefix
  got, want = (
    convert_weights.convert("eva_b16", one, **_EVA) for one in (tensors, authors)
  )
  jax.tree.map(np.testing.assert_array_equal, got, want)
  back = convert_weights.to_torch("eva_b16", got, source=EVA.name, **_EVA)
  assert back.keys() == renamed.keys()
  for name, value in back.items():
    np.testing.assert_array_equal(value, renamed[name])


def test_eva_without_its_head_gives_class_tokens(images):
  _, tensors = _eva_tensors()
  headless = {n: t for n, t in tensors.items() if not n.startswith("head.")}
  plan, _, features = _answers("eva_b16", headless, images, **torch_towers.TOWER)
  assert plan.overrides["projection"] is None
  assert features.shape == (3, 32)


def test_convnext_gives_its_logits_and_goes_back(images):
  module = conversion_plans.shake(torch_towers.TimmConvNeXt())
  tensors = conversion_plans.tensors_of(module)
  sizes = torch_towers.STAGES
  plan, variables, logits = _answers("convnext_tiny", tensors, images, **sizes)
  assert plan.source is CONVNEXT
  with torch.no_grad():
    want = module(torch.tensor(images).permute(0, 3, 1, 2))
  assert conversion_plans.distance(logits, want) < 1e-5
  back = convert_weights.to_torch(
    "convnext_tiny", variables, source=CONVNEXT.name, **sizes
  )
  assert back.keys() == tensors.keys()
  for name, value in back.items():
    np.testing.assert_array_equal(value, tensors[name])


def test_a_trunk_of_open_clip_gives_a_convnext_a_new_head():
  tensors = conversion_plans.tensors_of(torch_towers.TimmConvNeXt())
  trunk = {
    f"visual.trunk.{name}": value
    for name, value in tensors.items()
    if not name.startswith("head.fc")
  }
  trunk["visual.head.proj.weight"] = np.zeros((4, 12), np.float32)
  plan = plan_conversion("convnext_tiny", trunk, num_classes=3, **torch_towers.STAGES)
  assert {leaf.split("/")[1] for leaf in plan.mapping.new} == {"head"}
  assert set(plan.mapping.skipped) == {"visual.head.proj.weight"}
  with pytest.raises(ValueError, match="a classifier, which the network needs"):
    plan_conversion("convnext_tiny", trunk, **torch_towers.STAGES)


def test_other_convnexts_of_timm_are_refused():
  tensors = conversion_plans.tensors_of(torch_towers.TimmConvNeXt())
  deeper = tensors | {"head.pre_logits.fc.weight": np.zeros((12, 12), np.float32)}
  with pytest.raises(ValueError, match="its head has a hidden layer"):
    plan_conversion("convnext_tiny", deeper, **torch_towers.STAGES)
  convolutions = {
    name: value[..., None, None] if re.search(r"mlp\.fc\d\.weight", name) else value
    for name, value in tensors.items()
  }
  assert "MLP of convolutions" in families.find_family(convolutions).name


@pytest.mark.parametrize(
  ("source", "build", "row", "sizes"),
  [
    (CLIP, lambda: torch_towers.TimmClip(6), "vit_b16", _CLIP),
    (CONVNEXT, torch_towers.TimmConvNeXt, "convnext_tiny", torch_towers.STAGES),
  ],
  ids=["clip", "convnext"],
)
def test_a_tensor_renamed_is_a_problem_twice(source, build, row, sizes):
  tensors = conversion_plans.tensors_of(build())
  network = plan_conversion(row, tensors, **sizes).network
  shapes = _shapes(network)
  for name in tensors:
    renamed = {n: t for n, t in tensors.items() if n != name}
    renamed[f"{name}_"] = tensors[name]
    # A head may be missing: then it is only the unknown name.
    lines = conversion_plans.planned(source, network, renamed, shapes).problems
    assert any(line.startswith(f"+ {name}_ ") for line in lines)
    lost = any(line[0] == "-" and repr(name) in line for line in lines)
    assert lost or name.startswith("head.fc")


def _shapes(network):
  clip = jax.ShapeDtypeStruct((1, 1, 16, 16, 3), np.float32)
  return jax.eval_shape(network.init, jax.random.key(0), clip)
