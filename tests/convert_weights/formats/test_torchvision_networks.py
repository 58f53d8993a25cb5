"""ViTs and ConvNeXts in torchvision's names: weights in, answers out."""

import jax
import numpy as np
import pytest
import torch

import convert_weights
from convert_weights import registry
from convert_weights.plan import plan_conversion
from temporal_jax.models.catalog import entry
from tests.support import conversion_plans, torch_towers

_VIT, _CONVNEXT = "vit_b16_in21k", "convnext_tiny"
# Name -> the torch module, the row, and its arguments in the small.
NETWORKS = {
  "vit": (torch_towers.TorchvisionViT, _VIT, torch_towers.TOWER),
  "vit of the first release": (
    lambda: torch_towers.TorchvisionViT(older=True),
    _VIT,
    torch_towers.TOWER,
  ),
  "vit with a layer before the classes": (
    lambda: torch_towers.TorchvisionViT(hidden=24),
    _VIT,
    {**torch_towers.TOWER, "representation": 24},
  ),
  "convnext": (torch_towers.TorchvisionConvNeXt, _CONVNEXT, torch_towers.STAGES),
}


@pytest.fixture(scope="module")
def images():
  return np.random.default_rng(0).standard_normal((3, 16, 16, 3), np.float32)


@pytest.mark.parametrize("name", NETWORKS)
def test_gives_its_logits_and_goes_back(name, images):
  build, row, sizes = NETWORKS[name]
  module = conversion_plans.shake(build())
  tensors = conversion_plans.tensors_of(module)
  plan = plan_conversion(row, tensors, **sizes)
  variables = convert_weights.convert(row, tensors, **sizes)
  logits, _ = jax.jit(plan.network.apply)(variables, images[:, None])
  with torch.no_grad():
    want = module(torch.tensor(images).permute(0, 3, 1, 2))
  assert conversion_plans.distance(logits, want) < 1e-5
  sizes = {**sizes, **plan.overrides}
  back = convert_weights.to_torch(row, variables, source=plan.source.name, **sizes)
  newer = {
    name.replace("linear_1", "0").replace("linear_2", "3"): value
    for name, value in tensors.items()
  }
  assert back.keys() == newer.keys()
  for key, value in back.items():
    np.testing.assert_array_equal(value, newer[key])


@pytest.mark.parametrize("name", NETWORKS)
def test_is_recognised_and_every_name_counts(name):
  build, row, sizes = NETWORKS[name]
  tensors = conversion_plans.tensors_of(build())
  (source,) = registry.recognise(tensors)
  plan = plan_conversion(row, tensors, **sizes)
  shapes = plan.target
  for name in tensors:
    renamed = {n: t for n, t in tensors.items() if n != name}
    renamed[f"{name}_"] = tensors[name]
    lines = _problems(source, plan.network, renamed, shapes)
    assert any(line[0] == "-" and repr(name) in line for line in lines), name
    assert any(line.startswith(f"+ {name}_ ") for line in lines), name


def _problems(source, network, tensors, shapes):
  return conversion_plans.planned(source, network, tensors, shapes).problems


def test_the_pixels_are_those_of_imagenet():
  tensors = conversion_plans.tensors_of(torch_towers.TorchvisionViT())
  plan = plan_conversion(_VIT, tensors, **torch_towers.TOWER)
  assert plan.pixels == entry.IMAGENET
  assert any("the code of pytorch/vision" in note for note in plan.notes)


def test_videos_networks_start_from_them():
  tensors = conversion_plans.tensors_of(torch_towers.TorchvisionConvNeXt())
  sizes = {"stage_sizes": (1, 2), "widths": (8, 12)}
  plan = plan_conversion(
    "convnext_tiny", tensors, temporal="shift", num_classes=7, **sizes
  )
  assert {leaf.split("/")[1] for leaf in plan.mapping.new} == {"head"}
