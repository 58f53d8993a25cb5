"""Image weights on their way into networks over clips, by shapes alone."""

import functools
import re

import pytest

from convert_weights.formats import tada
from temporal_jax.models.catalog.registry import MODELS
from tests.support import network_shapes

SMALL = {
  "resnet": {"stage_sizes": (2, 1, 1)},
  "convnext": {"stage_sizes": (1, 2, 1, 1), "widths": (64, 64, 64, 64)},
  "blresnet": {"stage_sizes": (2, 2, 2, 2), "width": 8},
}
NAMINGS = {
  "resnet": ("torchvision", "huggingface_resnet"),
  "convnext": ("convnext", "huggingface_convnext"),
  "blresnet": ("blresnet",),
}
_OPERATOR = "a temporal operator"
_ALONG_TIME = "a convolution along time"
_ROUTE, _POOLING = "a route function", "pooling along time"
_FAST = {"the fast pathway", "a connection from the fast pathway"}
# Row: the image network, and why some of its leaves stay new.
ROWS = {
  **{f"resnet{depth}": ("resnet18", set()) for depth in (18, 34)},
  **{f"tsn_resnet{depth}": ("resnet18", set()) for depth in (18, 34)},
  **{f"atm_resnet{depth}": ("resnet18", {_OPERATOR}) for depth in (18, 34)},
  **{f"resnet{depth}": ("resnet50", set()) for depth in (50, 101, 152)},
  **{f"tsn_resnet{depth}": ("resnet50", set()) for depth in (50, 101, 152)},
  **{f"atm_resnet{depth}": ("resnet50", {_OPERATOR}) for depth in (50, 101, 152)},
  "tsm_resnet50": ("resnet50", set()),
  "aggregation_resnet50": ("resnet50", {_OPERATOR}),
  "tada2d_resnet50": ("resnet50", {_ROUTE, _POOLING}),
  "slowonly_50": ("resnet50", set()),
  "slowonly_50_tada": ("resnet50", {_ROUTE}),
  "slowfast_50_4x16": ("resnet50", _FAST),
  "slowfast_50_8x8": ("resnet50", _FAST),
  "slowfast_50_4x16_tada": ("resnet50", {*_FAST, _ROUTE}),
  "slowfast_50_8x8_tada": ("resnet50", {*_FAST, _ROUTE}),
  "r2plus1d_50": ("resnet50", {_ALONG_TIME}),
  "r2plus1d_50_tada": ("resnet50", {_ALONG_TIME, _ROUTE}),
  "r2plus1d_50_tada1d": ("resnet50", {_ALONG_TIME, _ROUTE}),
  "r2plus1d_50_pytorchvideo": ("resnet50", {_ALONG_TIME}),
  "r3d_18": ("resnet18", set()),
  "r3d_18_torchvision": ("resnet18", set()),
  "mc3_18": ("resnet18", set()),
  "r3d_50": ("resnet50", set()),
  "r3d_50_tada": ("resnet50", {_ROUTE}),
  **{
    f"convnext_{size}": ("convnext_tiny", set()) for size in ("tiny", "small", "base")
  },
  "tadaconvnext_tiny": ("convnext_tiny", {_ROUTE}),
  **{
    f"tadaconvnextv2_{size}": ("convnext_tiny", {_ROUTE, _POOLING})
    for size in ("tiny", "small", "base")
  },
  **{
    name: ("blresnet50", set())
    for name in ("blresnet50", "blresnet101", "tsn_blresnet50")
  },
  **{
    name: ("blresnet50", set()) for name in ("blvnet_50", "blvnet_101", "blvnet_tsm_50")
  },
  "blvnet_tam_50": ("blresnet50", {_OPERATOR}),
  "blvnet_tam_101": ("blresnet50", {_OPERATOR}),
}


def _kind(image):
  return re.sub(r"\d+|_tiny", "", image)


@functools.cache
def _tensors(naming, image):
  return network_shapes.names(
    naming, network_shapes.build(image, **SMALL[_kind(image)])
  )


def test_no_row_that_can_start_from_images_is_missing():
  namings = sum(NAMINGS.values(), ())
  taken = {
    row
    for row in MODELS
    for naming in namings
    if network_shapes.SOURCES[naming].takes(network_shapes.build(row))
  }
  assert taken == ROWS.keys()
  assert not [row for row in taken if row.startswith(("r2plus1d_1", "r2d3d"))]


@pytest.mark.parametrize("row", ROWS)
def test_every_image_tensor_has_its_place(row):
  image, reasons = ROWS[row]
  network = network_shapes.build(row, **SMALL[_kind(image)])
  target = network_shapes.shapes(network)
  for naming in NAMINGS[_kind(image)]:
    source, tensors = network_shapes.SOURCES[naming], _tensors(naming, image)
    done = network_shapes.planned(naming, network, tensors, target)
    assert done.problems == ()
    assert all(name.endswith("num_batches_tracked") for name in done.skipped)
    assert {r.split(",")[0] for r in done.new.values()} == reasons
    for step in done.steps:  # A step without its tensor is no new leaf.
      assert not any(re.fullmatch(new, step.leaf) for new in source.new)


@pytest.mark.parametrize(
  "row",
  [
    "resnet18",
    "tada2d_resnet50",
    "r3d_18",
    "slowfast_50_8x8",
    "tadaconvnextv2_tiny",
    "blvnet_tam_50",
  ],
)
def test_stems_for_flow_take_ten_channels(row):
  image, _ = ROWS[row]
  network = network_shapes.build(row, **SMALL[_kind(image)])
  target = network_shapes.shapes(network, channels=10)
  for naming in NAMINGS[_kind(image)]:
    tensors = _tensors(naming, image)
    assert network_shapes.planned(naming, network, tensors, target).problems == ()


def test_weights_of_another_depth_or_width_are_problems():
  tensors = _tensors("torchvision", "resnet50")
  for row, kwargs in (
    ("tada2d_resnet50", {"stage_sizes": (1, 1, 1)}),
    ("slowfast_50_4x16", {"stage_sizes": (2, 2, 1)}),
    ("slowfast_50_4x16", {"stage_sizes": (2, 1, 1), "stem_width": 128}),
    ("r3d_18", {"stage_sizes": (2, 1, 1)}),
  ):
    network = network_shapes.build(row, **kwargs)
    assert network_shapes.planned("torchvision", network, tensors).problems


@pytest.mark.parametrize("naming", NAMINGS["resnet"] + NAMINGS["convnext"])
def test_only_its_own_naming_is_recognised(naming):
  image = "convnext_tiny" if "convnext" in naming else "resnet50"
  assert network_shapes.recognised(_tensors(naming, image)) == [naming]


# Digests of the authors' own maps from image weights: of "our tensor <- image
# tensor" and of the tensors that they leave new, heads and counters left out.
@pytest.mark.parametrize(
  ("row", "image", "made", "new"),
  [
    ("tada2d_resnet50", "resnet50", "e72bc52f64668442", "d3c13091fea67641"),
    (
      "tadaconvnextv2_tiny",
      "convnext_tiny",
      "d84b928654a5c2c7",
      "e2ea121a1aef9218",
    ),
    pytest.param(
      "tadaconvnextv2_small",
      "convnext_small",
      "d6c3d68e694ac5e0",
      "a4ef9986af0c0ecd",
      marks=pytest.mark.slow,
    ),
    pytest.param(
      "tadaconvnextv2_base",
      "convnext_base",
      "d6c3d68e694ac5e0",
      "a4ef9986af0c0ecd",
      marks=pytest.mark.slow,
    ),
  ],
)
def test_maps_are_the_authors(row, image, made, new):
  naming = "torchvision" if image == "resnet50" else "convnext"
  network = network_shapes.build(row)
  target = network_shapes.shapes(network)
  tensors = network_shapes.names(naming, network_shapes.build(image))
  done = network_shapes.planned(naming, network, tensors, target)

  def name(leaf):
    matches = ((rule, rule.match(leaf)) for rule in tada.rules(network))
    rule, numbers = next(match for match in matches if match[1] is not None)
    return rule.sources(numbers)[0]

  pairs = {name(step.leaf): step.tensors[0] for step in done.steps}
  lines = (
    f"{ours} <- {image}"
    for ours, image in pairs.items()
    if not ours.startswith("head.")
  )
  assert network_shapes.digest(lines) == made
  assert network_shapes.digest(map(name, done.new)) == new
