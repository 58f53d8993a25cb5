"""Weights of another network are refused with a line per cause."""

import jax
import numpy as np
import pytest

import convert_weights
import temporal_jax
from convert_weights.plan import build_network, plan_conversion
from tests.support import network_shapes, published_checkpoints

_L16 = {"width": 1024, "depth": 24}
_TINY = {"width": 8, "stage_sizes": (1, 1)}


def _refused(row, tensors, **kwargs):
  """Returns the lines after the first of the one message."""
  with pytest.raises(ValueError, match=f"do not fit {row}") as caught:
    plan_conversion(row, tensors, **kwargs)
  return str(caught.value).replace("e.g.\n  ", "e.g. ").split("\n")[1:]


def _clip(sizes):
  return published_checkpoints.structs(published_checkpoints.clip(**sizes))


def _resnet(row="resnet18", source="torchvision", channels=3, **kwargs):
  network = network_shapes.build(row, **{"num_classes": 3, **_TINY, **kwargs})
  return network_shapes.names(source, network, network_shapes.shapes(network, channels))


def test_width_depth_and_patch_are_a_line_each_with_fitting_networks():
  lines = _refused("vit_b16", _clip(published_checkpoints.CLIP_L14))
  assert len(lines) == 4
  assert lines[0].startswith("width: 1024 in the weights, 768 in vit_b16, in ")
  assert lines[1].startswith("patch size: 14 in the weights, 16 in vit_b16")
  assert lines[2].startswith("block: 24 blocks in the weights, 12 in vit_b16")
  names = lines[3].removeprefix("networks of these sizes: ").strip(".")
  assert {"vit_l14", "atm_vit_l14"} <= set(names.split(", "))
  for name in names.split(", "):
    network = temporal_jax.create_model(name, num_classes=2)
    sizes = network.width, network.depth, network.patch_size
    assert sizes == (1024, 24, 14)


def test_fewer_blocks_are_one_line():
  sizes = {**published_checkpoints.CLIP_B16, "depth": 9}
  (line,) = _refused("vit_b16", _clip(sizes))
  assert line.startswith("block: 9 blocks in the weights, 12 in vit_b16")


@pytest.mark.parametrize(
  ("shapes", "words"),
  [
    (
      published_checkpoints.timm_vit(**_L16),
      ["width: 1024", "block: 24", "networks of these sizes: vivit_l16x2_factorised."],
    ),
    (published_checkpoints.timm_vit(patch=32, grid=7), ["patch size: 32"]),
    (
      published_checkpoints.timm_vit() | {"pos_embed": (1, 196, 768)},
      ["positions: 196 (14 x 14 patches) in the weights, 197 (14 x 14"],
    ),
    (
      published_checkpoints.timm_vit() | {"patch_embed.proj.weight": (768, 1, 16, 16)},
      ["channels of a frame: 1 in the weights, 3 in"],
    ),
  ],
)
def test_sizes_of_images(shapes, words):
  lines = _refused("vit_b16_in21k", published_checkpoints.structs(shapes))
  assert len(lines) == len(words)
  for line, start in zip(lines, words, strict=True):
    assert line.startswith(start)


def test_clips_of_more_frames():
  _, target = build_network("xvit_b16", (8, 224, 224, 3), num_classes=3)
  network = network_shapes.build("xvit_b16", num_classes=3)
  tensors = network_shapes.names("xvit", network, target)
  tensors["base_model.temp_embed"] = jax.ShapeDtypeStruct((1, 16, 1, 768), np.float32)
  (line,) = _refused("xvit_b16", tensors)
  assert line.startswith("frames: 16 in the weights, 8 in xvit_b16")


def test_other_images_than_the_positions_of_a_video_network():
  sizes = {"width": 64, "depth": 1, "num_heads": 1, "patch_size": 4}
  network = network_shapes.build("xvit_b16", num_classes=3, grid=6, **sizes)
  tensors = network_shapes.names("xvit", network)
  (line,) = _refused("xvit_b16", tensors, image_size=16, **sizes)
  assert line.startswith(
    "positions: 37 (6 x 6 patches) in the weights, 17 (4 x 4 patches)"
  )


def test_a_width_of_every_kernel_is_one_line():
  (line,) = _refused("resnet18", _resnet(width=16), **_TINY)
  assert line.startswith("width: ")
  assert "! params/stem_conv/kernel (7, 7, 3, 8)" in line


def test_numbers_of_residual_blocks():
  tensors = _resnet(stage_sizes=(2, 1))
  (line,) = _refused("resnet18", tensors, **_TINY)
  assert line.startswith("stage1: 2 blocks in the weights, 1 in resnet18")
  longer = {**_TINY, "stage_sizes": (2, 3)}
  (line,) = _refused("resnet18", tensors, **longer)
  assert line.startswith("stage2: 1 blocks in the weights, 3 in resnet18")


@pytest.mark.parametrize(
  ("theirs", "ours", "words"),
  [
    ("resnet50", "resnet18", "of three convolutions in the weights, of two"),
    ("resnet18", "resnet50", "of two convolutions in the weights, of three"),
  ],
)
def test_kinds_of_residual_blocks(theirs, ours, words):
  (line,) = _refused(ours, _resnet(theirs), **_TINY)
  assert words in line


def test_grouped_convolutions_are_named():
  sizes = {"width": 64, "stage_sizes": (2, 2)}
  tensors = _resnet("resnet50", **sizes)
  for name, tensor in tensors.items():
    if name.endswith(".conv2.weight"):
      outs, ins, *space = tensor.shape
      shape = (outs, ins // 32, *space)
      tensors[name] = jax.ShapeDtypeStruct(shape, np.float32)
  (line,) = _refused("resnet50", tensors, **sizes)
  assert "grouped convolutions" in line


def test_one_kind_of_leaf_in_all_blocks_is_one_line():
  tensors = published_checkpoints.structs(published_checkpoints.timm_vit())
  tensors = {n: t for n, t in tensors.items() if "attn.qkv.bias" not in n}
  (line,) = _refused("vit_b16_in21k", tensors)
  assert line.startswith("- params/block1/attention/qkv/bias (3, 12, 64)")
  assert line.endswith("(and 11 like it)")


def test_a_head_that_is_missing_may_start_anew():
  tensors = {n: t for n, t in _resnet().items() if not n.startswith("fc.")}
  lines = _refused("resnet18", tensors, num_classes=5, **_TINY)
  assert "allow_missing 'head/*'" in lines[-1]
  todo = plan_conversion(
    "resnet18", tensors, num_classes=5, allow_missing=["head/*"], **_TINY
  )
  assert set(todo.mapping.new) == {"params/head/bias", "params/head/kernel"}


def test_a_damaged_leaf_is_shown_by_itself():
  tensors = _resnet()
  shape = (16, *tensors["conv1.weight"].shape[1:])
  tensors["conv1.weight"] = jax.ShapeDtypeStruct(shape, np.float32)
  (line,) = _refused("resnet18", tensors, **_TINY)
  assert line.startswith("! params/stem_conv/kernel (7, 7, 3, 8): cannot")


@pytest.mark.parametrize("channels", [1, 4, 10])
def test_stems_of_other_channels(channels):
  """R, G and B are averaged, with a note; others are refused."""
  rng = np.random.default_rng(0)
  tensors = network_shapes.draw(_resnet())
  todo = plan_conversion("resnet18", tensors, channels=channels, **_TINY)
  (note,) = todo.notes
  assert note == (
    "params/stem_conv/kernel is the mean over the 3 channels of conv1.weight, "
    f"for each of the {channels} channels."
  )
  variables = convert_weights.convert("resnet18", tensors, channels=channels, **_TINY)
  mean = tensors["conv1.weight"].mean(axis=1).transpose(1, 2, 0)
  want = np.repeat(mean[:, :, None], channels, axis=2)
  got = variables["params"]["stem_conv"]["kernel"]
  np.testing.assert_allclose(got, want, atol=1e-6)

  kernel = rng.standard_normal((8, channels, 7, 7), np.float32)
  tensors["conv1.weight"] = kernel
  (line,) = _refused("resnet18", tensors, **_TINY)
  assert line.startswith(
    f"channels of a frame: {channels} in the weights, 3 in resnet18"
  )
  same = plan_conversion("resnet18", tensors, channels=channels, **_TINY)
  assert same.notes == ()


@pytest.mark.parametrize(
  ("theirs", "source", "classes", "ours"),
  [
    ("dinov2_s14_registers", "huggingface_dinov2", None, "dinov2_s14"),
    ("timesformer_b16_joint", "huggingface_timesformer", 5, "timesformer_b16"),
  ],
)
def test_the_row_of_near_weights_is_named(theirs, source, classes, ours):
  network = network_shapes.build(theirs, num_classes=classes)
  tensors = network_shapes.names(source, network)
  lines = _refused(ours, tensors, num_classes=5)
  assert lines[-1] == f"these are weights of {theirs}."
  assert len(lines) <= 5
