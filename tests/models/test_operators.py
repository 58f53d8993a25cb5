"""The operators by name are those that the modules of layers declare."""

import collections
import functools
import types

import pytest

from temporal_jax import layers, models
from temporal_jax.lookup import declared
from temporal_jax.models import operators

DECLARED = declared("temporal_jax.layers", "OPERATORS")


def test_every_name_is_declared_once():
  tables = [*DECLARED.values(), operators._FOR_NETWORKS, {"none": {}}]
  counts = collections.Counter(name for table in tables for name in table)
  assert set(counts.values()) == {1}
  assert counts.keys() == models.OPERATORS.keys()


def test_their_order_is_the_alphabet_after_none():
  first, *others = models.OPERATORS
  assert first == "none"
  assert others == sorted(others)


@pytest.mark.parametrize("module", DECLARED)
def test_a_slot_holds_the_layer_that_its_module_declares(module):
  for name, slots in DECLARED[module].items():
    temporal = models.OPERATORS[name]
    assert temporal.filled() == slots.keys()
    assert all(getattr(temporal, slot) is layer for slot, layer in slots.items())


def test_those_of_inner_packages_are_found():
  assert "tada.adaptive_branch" in DECLARED
  assert models.OPERATORS["adaptive_branch"].attention_branch is layers.AdaptiveBranch


def test_an_unknown_slot_is_refused(monkeypatch):
  module = types.SimpleNamespace(OPERATORS={"wrong": {"branch": layers.TemporalShift}})
  monkeypatch.setattr(operators, "declared", lambda *_: vars(module))
  with pytest.raises(TypeError, match="'branch'"):
    operators._collect()


@pytest.mark.parametrize(
  "wrong",
  [
    layers.TemporalShift,
    layers.TemporalShift(),
    functools.partial(layers.TemporalShift, fold_div=8),
    {"branch_input": layers.TemporalShift},
    lambda network: layers.TemporalShift,
    3,
  ],
)
def test_what_is_no_operator_is_refused(wrong):
  with pytest.raises(TypeError, match=r"A layer needs a slot: models\.Temporal"):
    models.create_model("resnet18", num_classes=2, temporal=wrong)
