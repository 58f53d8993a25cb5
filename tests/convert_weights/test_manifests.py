"""Every published file of these namings, by names and shapes alone.

A digest stands for all its tensors, those that stay unused included.
"""

import functools

import jax
import numpy as np
import pytest

from convert_weights.planning import families
from temporal_jax.models.operators import arithmetic
from tests.support import network_shapes

_IMAGES = {"num_classes": 1000}
_SSV2 = {"num_classes": 174}
_TEXT = {"num_classes": None}
_TWO = {**_SSV2, "temporal": "adaptive_branches"}
# R(2+1)D-50 as the code's R2Plus1D of 50 layers, not as table A3.
_CODE = {
  "taps": (3,) * 5,
  "strides": (2, 1, 2, 2, 2),
  "time_strides": (1, 1, 2, 2, 2),
}
_NOT1D = {"temporal": arithmetic(7, class_token=False)}
# Tensors that no leaf of ours is made of, beside the counters of norms.
_NEW_FC = {"new_fc.weight": (400, 768), "new_fc.bias": (400,)}
_NEW_FC_174 = {"new_fc.weight": (174, 768), "new_fc.bias": (174,)}
_ROPE = {
  f"visual.{name}rope.freqs_{kind}": (256, 64)
  for name in ("", *(f"blocks.{i}.attn." for i in range(24)))
  for kind in ("cos", "sin")
}

# Name of the file: source, row, arguments, digest, unused tensors.
PUBLISHED = {
  # The tower alone, named as in the released files.
  "atm_eva_l14_8f": ("atm", "atm_eva_l14", _TEXT, "f3b762d81ae33180", _ROPE),
  # That of 16 and of 32 frames too.
  "atm_vit_b16_8f": ("atm", "atm_vit_b16", {}, "ccf46afd3ffbf770"),
  "atm_vit_b16_8f_not1d": ("atm", "atm_vit_b16", _NOT1D, "68d7583ad01d0ddb"),
  "atm_vit_l14_336_16f": ("atm", "atm_vit_l14_336", {}, "e692e24e6ff0b0ac"),
  "atm_vit_l14_8f": ("atm", "atm_vit_l14", {}, "fcef263707c62146"),
  "blvnet_tam_101_a2b4": ("blvnet", "blvnet_tam_101", _SSV2, "c8c5e50ce27cd6ae"),
  "blvnet_tam_50_a2b4": ("blvnet", "blvnet_tam_50", _SSV2, "e7acc5e8eb6885b8"),
  "clip_vit_b16_8f_baseline": ("atm", "vit_b16", {}, "1657de708ca20a48"),
  "ila_b16_16f": (
    "ila",
    "ila_vit_b16",
    {**_TEXT, "num_frames": 16},
    "9f4788703a5fcc50",
  ),
  "ila_b16_8f": ("ila", "ila_vit_b16", _TEXT, "c476ee73c359f17c"),
  "ila_b32_16f": (
    "ila",
    "ila_vit_b32",
    {**_TEXT, "num_frames": 16},
    "8cbf47d94e60a484",
  ),
  "ila_b32_8f": ("ila", "ila_vit_b32", _TEXT, "0f81f93e820304b0"),
  "ila_l14_336_8f": ("ila", "ila_vit_l14_336", _TEXT, "1c8ca39428dc9431"),
  "ila_l14_8f": ("ila", "ila_vit_l14", _TEXT, "b3d9e813e9aaeda6"),
  "image_blresnet_101_a2b4": ("blresnet", "blresnet101", _IMAGES, "d4c702dc0335cfd6"),
  "image_blresnet_50_a2b4": ("blresnet", "blresnet50", _IMAGES, "f37fc8820ba9c15a"),
  "image_convnext_base": ("convnext", "convnext_base", _IMAGES, "fb0cf7a11413f074"),
  "image_convnext_small": ("convnext", "convnext_small", _IMAGES, "a4b7936f31d6d25c"),
  "image_convnext_tiny": ("convnext", "convnext_tiny", _IMAGES, "1d80b0c9fd614b37"),
  "image_torchvision_resnet101": (
    "torchvision",
    "resnet101",
    _IMAGES,
    "dbc3ca74fffafc72",
  ),
  "image_torchvision_resnet152": (
    "torchvision",
    "resnet152",
    _IMAGES,
    "7d486dbdc941506e",
  ),
  "image_torchvision_resnet18": (
    "torchvision",
    "resnet18",
    _IMAGES,
    "5191d63ec3989592",
  ),
  "image_torchvision_resnet34": (
    "torchvision",
    "resnet34",
    _IMAGES,
    "f8de2a1812ef85e4",
  ),
  "image_torchvision_resnet50": (
    "torchvision",
    "resnet50",
    _IMAGES,
    "a87e91cd6bd1f939",
  ),
  "r2d3d_d18_tada": ("tada", "r2d3d_18", {}, "d0ebd3895c3606a4"),
  "r2plus1d_d10_tada": ("tada", "r2plus1d_10", {}, "2a8b85df1cb67c90"),
  "r2plus1d_d18_tada": ("tada", "r2plus1d_18", {}, "97b81c91e6a896ca"),
  "r2plus1d_r50_tada": ("tada", "r2plus1d_50", _CODE, "d5ff5a187e67587e"),
  "r3d_d18_tada": ("tada", "r3d_18", {}, "0924ca3444c496a6"),
  # That for 256 pixels too, here and below.
  "slowfast_r50_4x16": ("tada", "slowfast_50_4x16", {}, "128d84838581c5c7"),
  "slowfast_r50_8x8": ("tada", "slowfast_50_8x8", {}, "6a99b639e45c3e84"),
  "slowonly_r50_8x8": ("tada", "slowonly_50", {}, "7c0771a88efcf45a"),
  # That of twice as many frames too, here and below.
  "tada2d_r50_8f": ("tada", "tada2d_resnet50", {}, "a4e9a60cbe2b4c65"),
  "tadaconvnextv2_b_16f": ("tada", "tadaconvnextv2_base", {}, "af82cc412480c851"),
  "tadaconvnextv2_s_16f": ("tada", "tadaconvnextv2_small", {}, "118d8c9f0c945e6c"),
  "tadaconvnextv2_t_16f": ("tada", "tadaconvnextv2_tiny", {}, "11f9bea3251de936"),
  "tadaformer_b16_k400_16f": ("tada", "tadaformer_b16", {}, "3dec1cdf863f82df"),
  "tadaformer_b16_ssv2_16f": ("tada", "tadaformer_b16", _TWO, "1b82ed2146f10b59"),
  "tadaformer_l14_k400_16f": ("tada", "tadaformer_l14", {}, "86ad9aad353c7410"),
  "tadaformer_l14_ssv2_16f": ("tada", "tadaformer_l14", _TWO, "ee3c7225b60b63f3"),
  "xvit_b16_16f_ssv2": (
    "xvit",
    "xvit_b16",
    {**_SSV2, "temporal": "mixing_quarter"},
    "c900124a0ec08e79",
    _NEW_FC_174,
  ),
  "xvit_b16_8f_avg": ("xvit", "xvit_b16", {"head": "average"}, "6e76d0925791ff34"),
  "xvit_b16_8f_k400": ("xvit", "xvit_b16", {}, "27b3da82d034c10d", _NEW_FC),
}
# The larger ones take many seconds to trace.
_LARGE = ("l14", "ila", "_b_", "_s_", "b16_ssv2", "blresnet_101", "tam_101")


@pytest.mark.parametrize(
  "name",
  [
    pytest.param(
      name, marks=[pytest.mark.slow] if any(n in name for n in _LARGE) else []
    )
    for name in PUBLISHED
  ],
)
def test_published_files_are_used_whole(name):
  source, row, kwargs, digest, *unused = PUBLISHED[name]
  network = network_shapes.build(row, **kwargs)
  assert network_shapes.SOURCES[source].takes(network)
  target = network_shapes.shapes(network)
  tensors = network_shapes.names(source, network, target)
  assert families.find_family(tensors) is None
  struct = functools.partial(jax.ShapeDtypeStruct, dtype=np.float32)
  for shapes in unused:
    tensors |= {name: struct(shape) for name, shape in shapes.items()}
  lines = (f"{name} {tensor.shape}" for name, tensor in tensors.items())
  assert network_shapes.digest(lines) == digest
  assert network_shapes.recognised(tensors) == [source]
  done = network_shapes.planned(source, network, tensors, target)
  assert done.problems == ()
  assert not done.new
  counters = {n for n in tensors if n.endswith("num_batches_tracked")}
  assert done.skipped.keys() == counters.union(*unused)


def test_a_tensor_too_few_or_too_many_is_a_problem():
  network = network_shapes.build("tada2d_resnet50", stage_sizes=(1, 1))
  target = network_shapes.shapes(network)
  tensors = network_shapes.names("tada", network, target)
  lost = "backbone.conv3.res_1.conv_branch.b_rf.b.weight"
  tensors["head.in.weight"] = tensors.pop(lost)
  problems = network_shapes.planned("tada", network, tensors, target).problems
  assert [line[0] for line in problems] == ["+", "-"]
  assert "head.in.weight" in problems[0]
  assert lost in problems[1]
