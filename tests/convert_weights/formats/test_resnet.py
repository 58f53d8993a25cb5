"""R(2+1)D from image weights: only what is along time starts at random."""

import re

import flax.traverse_util as trees
import jax
import numpy as np
import pytest

import convert_weights
from convert_weights.__main__ import main
from convert_weights.plan import plan_conversion
from temporal_jax import inference
from tests.support import network_shapes

ROWS = ("r2plus1d_50", "r2plus1d_50_tada", "r2plus1d_50_tada1d")
SMALL = {"stage_sizes": (1,), "stem_width": 8, "widths": (8,)}
CLIP = np.random.default_rng(0).standard_normal((1, 3, 16, 16, 3), np.float32)
TIME = r"params/stage\d_block\d/conv2/time/kernel"
ROUTE = r"(params|batch_stats)/stage\d_block\d/conv2/(space|time)/route/.+"
# Ours -> torchvision's.
NORMS = {"conv2/norm": "bn2", "norm1": "bn1", "norm2": "bn2", "norm3": "bn3"}
KERNELS = {"conv1": "conv1", "conv2/space": "conv2", "conv3": "conv3"}


@pytest.fixture(scope="module")
def tensors():
  """A ResNet of one block in torchvision's names."""
  image = network_shapes.build("resnet50", num_classes=5, stage_sizes=(1,), width=8)
  shapes = network_shapes.names("torchvision", image)
  return network_shapes.draw(shapes)


@pytest.fixture(scope="module")
def leaves(tensors):
  return _convert("r2plus1d_50", tensors)


def _convert(row, tensors, **kwargs):
  variables = convert_weights.convert(row, tensors, **SMALL, **kwargs)
  return trees.flatten_dict(variables, sep="/")


def test_convolutions_over_space_are_the_images(leaves, tensors):
  for ours, theirs in KERNELS.items():
    kernel = leaves[f"params/stage1_block1/{ours}/kernel"]
    want = tensors[f"layer1.0.{theirs}.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(kernel, want)
  for ours, theirs in NORMS.items():
    scale = leaves[f"params/stage1_block1/{ours}/scale"]
    var = leaves[f"batch_stats/stage1_block1/{ours}/var"]
    np.testing.assert_array_equal(scale, tensors[f"layer1.0.{theirs}.weight"])
    np.testing.assert_array_equal(var, tensors[f"layer1.0.{theirs}.running_var"])
  stem = tensors["conv1.weight"].transpose(2, 3, 1, 0)
  np.testing.assert_array_equal(leaves["params/stem/conv/kernel"], stem)
  np.testing.assert_array_equal(
    leaves["params/head/kernel"], tensors["fc.weight"].transpose()
  )


def test_convolutions_along_time_are_random_and_seeded(leaves, tensors):
  again = _convert("r2plus1d_50", tensors)
  other = _convert("r2plus1d_50", tensors, seed=1)
  for name, value in leaves.items():
    np.testing.assert_array_equal(value, again[name])
    assert np.array_equal(value, other[name]) != bool(re.fullmatch(TIME, name)), name
  kernel = leaves["params/stage1_block1/conv2/time/kernel"]
  assert kernel.shape == (3, 8, 8)
  np.testing.assert_allclose(np.std(kernel), (2 / (3 * 8)) ** 0.5, rtol=0.2)


@pytest.mark.parametrize("row", ROWS)
def test_what_starts_anew_is_named(row, tensors):
  plan = plan_conversion(row, tensors, **SMALL)
  assert plan.mapping.problems == ()
  times = {leaf for leaf in plan.mapping.new if re.fullmatch(TIME, leaf)}
  assert len(times) == 1
  for leaf, reason in plan.mapping.new.items():
    if leaf in times:
      assert reason == "a convolution along time, which starts at random"
    else:
      assert re.fullmatch(ROUTE, leaf), leaf
      assert reason == "a route function, which starts by changing nothing"
      assert "space" in leaf or row.endswith("1d")
  assert (len(plan.mapping.new) > len(times)) == (row != "r2plus1d_50")


def test_with_time_left_out_it_is_the_image_network(leaves, tensors):
  """Kernels that pass frames on, and norms that change nothing."""
  plain = {}
  for name, value in leaves.items():
    if "/norm2/" in name:
      value = np.full_like(value, name.endswith(("scale", "var")))
    elif re.fullmatch(TIME, name):
      value = np.stack([0 * value[0], np.eye(len(value[0])), 0 * value[2]])
    plain[name] = value
  video = network_shapes.build("r2plus1d_50", num_classes=5, **SMALL)
  got, _ = jax.jit(video.apply)(trees.unflatten_dict(plain, sep="/"), CLIP)
  # As table A3's R2D: no pooling in the stem, and a stride in the first stage.
  form = {"stage_sizes": (1,), "width": 8, "stem": "7x7", "strides": (2,)}
  variables = convert_weights.convert("resnet50", tensors, **form)
  image = network_shapes.build("resnet50", num_classes=5, **form)
  want, _ = jax.jit(image.apply)(variables, CLIP)
  assert np.abs(want).max() > 0.1
  np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_the_command_takes_a_resnet50(tmp_path, capsys):
  torch = pytest.importorskip("torch")
  image = network_shapes.build("resnet50", num_classes=1000)
  tensors = network_shapes.draw(network_shapes.names("torchvision", image))
  file, out = tmp_path / "resnet50.pth", tmp_path / "out"
  torch.save({name: torch.tensor(value) for name, value in tensors.items()}, file)
  main(["r2plus1d_50_tada", str(file), str(out)])
  assert "a convolution along time, which starts at random" in capsys.readouterr().out
  saved = inference.load_model(out)
  kernel = saved.variables["params"]["stage4_block3"]["conv2"]["space"]["kernel"]
  want = tensors["layer4.2.conv2.weight"].transpose(2, 3, 1, 0)
  np.testing.assert_array_equal(kernel, want)
