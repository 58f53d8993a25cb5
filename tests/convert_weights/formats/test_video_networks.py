"""Namings that are particular to one video repository."""

import jax
import numpy as np
import pytest

from convert_weights.formats import blvnet
from temporal_jax.models.operators import arithmetic
from tests.support import network_shapes

TOWER = {"width": 64, "depth": 2, "num_heads": 2, "patch_size": 4, "grid": 4}
TEXT = {
  **{"num_frames": 2, "text_width": 16, "text_heads": 2, "vocabulary": 50},
  **{"context": 6, "projection": 64},
}
BIG_LITTLE = {"stage_sizes": (2, 2, 2, 2), "width": 8}


def _renamed(tensors, old, new):
  return {
    new + name[len(old) :] if name.startswith(old) else name: tensor
    for name, tensor in tensors.items()
  }


def test_a_blvnet_without_dropout_has_another_head():
  network = network_shapes.build("blvnet_tam_50", **BIG_LITTLE)
  tensors = network_shapes.names("blvnet", network)
  other = _renamed(tensors, "new_fc.", "baseline_model.fc.")
  assert "baseline_model.fc.weight" in other
  assert "new_fc.weight" not in other
  assert network_shapes.planned("blvnet", network, other).problems == ()


@pytest.mark.parametrize("taps", [1, 3, 5])
def test_a_blvnet_has_the_taps_of_its_aggregation(taps):
  aggregation = network_shapes.build("blvnet_tam_50").temporal.branch_input.func
  network = network_shapes.build("blvnet_50", **BIG_LITTLE)
  network = network.clone(
    temporal=network.temporal.__class__(
      branch_input=lambda **kwargs: aggregation(taps=taps, **kwargs)
    )
  )
  tensors = network_shapes.names("blvnet", network)
  own = {name.split(".tam.")[1] for name in tensors if ".tam." in name}
  assert len(own) == taps
  assert network_shapes.planned("blvnet", network, tensors).problems == ()


def test_a_blvnet_is_not_causal():
  network = network_shapes.build("blvnet_tam_50", temporal="causal_aggregation")
  (source,) = (s for s in blvnet.FORMATS if s.name == "blvnet")
  with pytest.raises(ValueError, match="sees later frames too"):
    source.rules(network)


def test_xvit_calls_one_of_its_classifiers():
  unused = {
    "new_fc.weight": jax.ShapeDtypeStruct((400, 64), np.float32),
    "new_fc.bias": jax.ShapeDtypeStruct((400,), np.float32),
  }
  network = network_shapes.build("xvit_b16", **TOWER)
  attention = network_shapes.names("xvit", network)
  assert network_shapes.planned("xvit", network, attention).problems == ()
  done = network_shapes.planned("xvit", network, attention | unused)
  assert done.problems == ()
  assert done.skipped.keys() == unused.keys()
  network = network_shapes.build("xvit_b16", head="average", **TOWER)
  average = network_shapes.names("xvit", network)
  assert unused.keys() <= average.keys()
  del average["new_fc.bias"]
  (problem,) = network_shapes.planned("xvit", network, average).problems
  assert problem.startswith("- params/head/bias")
  # Its head is not that of the other network.
  assert network_shapes.planned("xvit", network, attention | unused).problems


def test_the_linear_head_of_ila_skips_the_texts():
  text = network_shapes.build("ila_vit_b32", num_classes=None, **TOWER, **TEXT)
  of_text = network_shapes.names("ila", text)
  assert network_shapes.planned("ila", text, of_text).problems == ()
  network = network_shapes.build(
    "ila_vit_b32",
    head="linear",
    temporal="alignment_dense",
    **TOWER,
    **TEXT,
  )
  assert network_shapes.SOURCES["ila"].takes(network)
  tensors = network_shapes.names("ila", network)
  assert "mit.classify_head.2.weight" in tensors
  more = {n: t for n, t in of_text.items() if not n.startswith(("vis", "mit"))}
  done = network_shapes.planned("ila", network, tensors | more)
  assert done.problems == ()
  assert more.keys() <= done.skipped.keys()
  # A text tower deeper than any published one is something else.
  deeper = _renamed(more, "transformer.resblocks.11.", "transformer.resblocks.12.")
  assert len(network_shapes.planned("ila", network, tensors | deeper).problems) == 12


def test_xclip_is_not_ila():
  network = network_shapes.build("xclip_b32", num_classes=None, **TOWER, **TEXT)
  tensors = network_shapes.names("xclip", network)
  assert network_shapes.recognised(tensors) == ["xclip"]
  assert network_shapes.planned("xclip", network, tensors).problems == ()
  assert not network_shapes.SOURCES["ila"].takes(network)


def test_atm_on_eva_comes_with_and_without_the_name_of_its_tower():
  network = network_shapes.build(
    "atm_eva_l14", temporal=arithmetic(1), projection=8, **TOWER
  )
  released = network_shapes.names("atm", network)
  alone = _renamed(released, "visual.", "")
  for tensors in (released, alone):
    assert network_shapes.recognised(tensors) == ["atm"]
    assert network_shapes.planned("atm", network, tensors).problems == ()


def test_modelscopes_tadaconvnext_is_tadas_with_another_route_function():
  network = network_shapes.build("tadaconvnext_tiny")
  tensors = network_shapes.names("tada", network)
  assert len(tensors) == 326
  assert "backbone.stages.2.8.dwconv_rf.ln.weight" in tensors
  assert network_shapes.planned("tada", network, tensors).problems == ()


@pytest.mark.parametrize(
  ("source", "row"),
  [
    ("tada", "slowonly_50_tada"),  # There are no published files of it.
    ("tada", "tsn_resnet50"),
    ("tada", "atm_resnet50"),
    ("tada", "vit_b16"),
    ("tada", "ila_vit_b32"),
    ("blvnet", "blresnet50"),
    ("xvit", "tsm_vit_b16"),
    ("ila", "vit_b32"),
    ("xclip", "ila_vit_b32"),
    ("atm", "tadaformer_b16"),
    ("atm", "atm_resnet50"),
    ("torchvision", "r2plus1d_18"),
    ("torchvision", "r2d3d_18"),
    ("torchvision", "convnext_tiny"),
  ],
)
def test_takes_no_network_that_it_cannot_make(source, row):
  assert not network_shapes.SOURCES[source].takes(network_shapes.build(row))
