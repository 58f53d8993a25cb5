import jax
import jax.numpy as jnp
import pytest

from temporal_jax import models
from temporal_jax.models.inspect import describe

RESNET = {"width": 8, "stage_sizes": (1, 1)}
VIT = {"width": 16, "num_heads": 2, "patch_size": 8}


def _rows(lines):
  """Cells of the lines, by their first word."""
  return {line.split()[0]: line.split() for line in lines if line.strip()}


def _describe(name, **options):
  return list(models.describe(name, num_classes=3, **options))


def test_modules_have_their_shapes_and_parameters():
  lines = _describe("resnet18", num_frames=2, image_size=32, levels=2, **RESNET)
  rows = _rows(lines)
  shape = ["(1,", "2,", "16,", "16,", "8)"]
  # Parameters by hand: 7 x 7 taps of 3 colours; two 3 x 3 convolutions, of
  # which the second stage's first doubles the channels, and so does a 1 x 1.
  assert rows["stem_conv"] == ["stem_conv", "Conv2D", *shape, "1,176"]
  assert rows["stem_norm"][-1] == "16"
  assert rows["stage1_block1"][-1] == f"{2 * 9 * 8 * 8 + 4 * 8:,}"
  second = 9 * 8 * 16 + 9 * 16 * 16 + 8 * 16 + 6 * 16
  assert rows["stage2_block1"][-1] == f"{second:,}"
  assert rows["stage2_block1"][2:7] == ["(1,", "2,", "4,", "4,", "16)"]
  assert rows["head"][-1] == "51"
  total = 1176 + 16 + 1184 + second + 51
  assert f"{total / 1e6:.3f} M parameters" in "\n".join(lines)
  conv = [line for line in lines if line.startswith("  conv1")]
  assert len(conv) == 2
  assert len(_describe("resnet18", **RESNET)) < len(lines)


def test_slots_tell_what_sits_where():
  lines = _describe("resnet18", temporal="aggregation", **RESNET)
  rows = _rows(lines)
  words = " ".join(rows["branch_input"][1:])
  assert words == "TemporalAggregation all 2 blocks"
  assert rows["convolution"][1:] == ["-"]
  sizes = {"num_frames": 2, "image_size": 16, "depth": 3}
  lines = _describe("vit_b16", temporal="arithmetic", **sizes, **VIT)
  rows = _rows(lines)
  assert rows["attention_branch"][1:] == ["-"]
  assert rows["block_input"][1:] == [
    "ClassTokenConvolution",
    "block1,",
    "block2",
  ]
  chain = "ArithmeticModeling + ClassTokenConvolution  block3"
  assert lines[lines.index("temporal slots") + 2].strip() == chain


def test_slots_have_the_arguments_that_are_not_defaults():
  text = "adaptive(axis='both', share=1.0, route=mlp(ratio=2, norm='batch'))"
  lines = _describe("resnet18", temporal=text, **RESNET)
  place = next(i for i, line in enumerate(lines) if line.startswith("convolution "))
  assert lines[place].split() == ["convolution", "AdaptiveConv", "all", "2", "blocks"]
  assert lines[place + 1].strip() == "axis='both'"
  assert lines[place + 2].strip() == "route=RouteMlp(ratio=2)"
  assert lines[place + 3].split()[0] == "after_convolution"
  text = "arithmetic(operations=('sum',), class_token=False)"
  sizes = {"num_frames": 2, "image_size": 16, "depth": 3}
  lines = "\n".join(_describe("vit_b16", temporal=text, **sizes, **VIT))
  assert "operations=('sum',)" in lines
  text = "adaptive_convolution(kernel_init=normal(stddev=0.1))"
  lines = _describe("resnet18", temporal=text, **RESNET)
  assert "kernel_init=normal" in map(str.strip, lines)


def test_many_blocks_are_counted():
  names = [f"block{i}" for i in range(1, 7)]
  assert describe._places(names, 6) == "all 6 blocks"
  assert describe._places(names, 9) == "6 of 9 blocks, block1 to block6"


@pytest.mark.parametrize(
  ("name", "arguments"),
  [
    pytest.param(
      "vit_b32_ata",
      {"depth": 1, "width": 16, "num_heads": 2},
      marks=pytest.mark.slow,  # Hungarian matching takes seconds to trace.
    ),
    pytest.param(
      "slowfast_50_8x8_tada",
      {"stage_sizes": (1,), "widths": (64,)},
      marks=pytest.mark.slow,  # As two networks do.
    ),
    ("tadaconvnextv2_small", {"stage_sizes": (1,), "widths": (8,)}),
  ],
)
def test_fits_100_columns_and_names_its_tables(name, arguments):
  lines = _describe(name, levels=4, **arguments)
  assert max(map(len, lines)) <= 100
  assert any("arXiv:" in line and "table" in line for line in lines)
  plain = _describe(name, temporal=None, **arguments)
  assert not any(line.startswith("published") for line in plain)


def test_needs_a_level():
  with pytest.raises(ValueError, match="levels must be at least 1, got 0"):
    _describe("resnet18", levels=0)


def test_a_described_network_is_that_of_create_model():
  model = models.create_model("resnet18", num_classes=3, **RESNET)
  clip = jax.ShapeDtypeStruct((1, 8, 224, 224, 3), jnp.float32)
  shapes = jax.eval_shape(model.init, jax.random.key(0), clip)
  number = models.count.parameters(shapes)
  line = f"{number / 1e6:.3f} M parameters"
  assert any(line in words for words in _describe("resnet18", **RESNET))
