"""What the naming of each video repository has of its own."""

import jax
import numpy as np
import pytest

from convert_weights.sources import blvnet
from temporal_jax.models.operators import arithmetic
from tests.convert_weights import networks

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
  network = networks.build("blvnet_tam_50", **BIG_LITTLE)
  tensors = networks.names("blvnet", network)
  other = _renamed(tensors, "new_fc.", "baseline_model.fc.")
  assert "baseline_model.fc.weight" in other
  assert "new_fc.weight" not in other
  assert networks.planned("blvnet", network, other).problems == ()


@pytest.mark.parametrize("taps", [1, 3, 5])
def test_a_blvnet_has_the_taps_of_its_aggregation(taps):
  aggregation = networks.build("blvnet_tam_50").temporal.branch_input.func
  network = networks.build("blvnet_50", **BIG_LITTLE)
  network = network.clone(
    temporal=network.temporal.__class__(
      branch_input=lambda **kwargs: aggregation(taps=taps, **kwargs)
    )
  )
  tensors = networks.names("blvnet", network)
  own = {name.split(".tam.")[1] for name in tensors if ".tam." in name}
  assert len(own) == taps
  assert networks.planned("blvnet", network, tensors).problems == ()


def test_a_blvnet_is_not_causal():
  network = networks.build("blvnet_tam_50", temporal="causal_aggregation")
  (source,) = (s for s in blvnet.SOURCES if s.name == "blvnet")
  with pytest.raises(ValueError, match="sees later frames too"):
    source.rules(network)


def test_xvit_calls_one_of_its_classifiers():
  unused = {
    "new_fc.weight": jax.ShapeDtypeStruct((400, 64), np.float32),
    "new_fc.bias": jax.ShapeDtypeStruct((400,), np.float32),
  }
  network = networks.build("xvit_b16", **TOWER)
  attention = networks.names("xvit", network)
  assert networks.planned("xvit", network, attention).problems == ()
  done = networks.planned("xvit", network, attention | unused)
  assert done.problems == ()
  assert done.skipped.keys() == unused.keys()
  network = networks.build("xvit_b16", head="average", **TOWER)
  average = networks.names("xvit", network)
  assert unused.keys() <= average.keys()
  del average["new_fc.bias"]
  (problem,) = networks.planned("xvit", network, average).problems
  assert problem.startswith("- params/head/bias")
  # Its head is not that of the other network.
  assert networks.planned("xvit", network, attention | unused).problems


def test_the_linear_head_of_ila_skips_the_texts():
  text = networks.build("ila_vit_b32", num_classes=None, **TOWER, **TEXT)
  of_text = networks.names("ila", text)
  assert networks.planned("ila", text, of_text).problems == ()
  network = networks.build(
    *("ila_vit_b32",),
    head="linear",
    temporal="alignment_dense",
    **TOWER,
    **TEXT,
  )
  assert networks.SOURCES["ila"].takes(network)
  tensors = networks.names("ila", network)
  assert "mit.classify_head.2.weight" in tensors
  more = {n: t for n, t in of_text.items() if not n.startswith(("vis", "mit"))}
  done = networks.planned("ila", network, tensors | more)
  assert done.problems == ()
  assert more.keys() <= done.skipped.keys()
  # A text tower deeper than any published one is something else.
  deeper = _renamed(more, "transformer.resblocks.11.", "transformer.resblocks.12.")
  assert len(networks.planned("ila", network, tensors | deeper).problems) == 12


def test_xclip_is_not_ila():
  network = networks.build("xclip_b32", num_classes=None, **TOWER, **TEXT)
  tensors = networks.names("xclip", network)
  assert networks.recognised(tensors) == ["xclip"]
  assert networks.planned("xclip", network, tensors).problems == ()
  assert not networks.SOURCES["ila"].takes(network)


def test_atm_on_eva_comes_with_and_without_the_name_of_its_tower():
  network = networks.build(
    *("atm_eva_l14",), temporal=arithmetic(1), projection=8, **TOWER
  )
  released = networks.names("atm", network)
  alone = _renamed(released, "visual.", "")
  for tensors in (released, alone):
    assert networks.recognised(tensors) == ["atm"]
    assert networks.planned("atm", network, tensors).problems == ()


def test_modelscopes_tadaconvnext_is_tadas_with_another_route_function():
  network = networks.build("tadaconvnext_tiny")
  tensors = networks.names("tada", network)
  assert len(tensors) == 326
  assert "backbone.stages.2.8.dwconv_rf.ln.weight" in tensors
  assert networks.planned("tada", network, tensors).problems == ()


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
    ("torchvision", "r2plus1d_50"),
    ("torchvision", "r2d3d_18"),
    ("torchvision", "convnext_tiny"),
  ],
)
def test_takes_no_network_that_it_cannot_make(source, row):
  assert not networks.SOURCES[source].takes(networks.build(row))
