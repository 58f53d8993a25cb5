"""Costs of networks, counted anew and next to their authors' code."""

import flax.linen as nn
import jax
import pytest

from temporal_jax.models import MODELS, Temporal, count, create_model
from temporal_jax.models.catalog import counted_costs
from temporal_jax.models.catalog.counted_costs import Cost, CountedCost

COSTS = counted_costs.read_costs()
# A network of most classes; others take many seconds to trace.
FAST = {
  "resnet18",
  "resnet50",
  "tadaconvnextv2_tiny",
  "vit_b16",
  "slowonly_50",
  "r2d3d_18",
  "ila_vit_b32",
}


def test_every_network_has_its_cost():
  assert list(COSTS) == list(MODELS)
  for name, entry in MODELS.items():
    assert (COSTS[name].reference is None) == (entry.reference_cost is None), name


@pytest.mark.parametrize(
  "name",
  [
    pytest.param(name, marks=[] if name in FAST else [pytest.mark.slow])
    for name in MODELS
  ],
)
def test_kept_cost_is_counted(name):
  assert counted_costs.count_entry(name) == COSTS[name]


@pytest.mark.parametrize("name", [n for n, e in MODELS.items() if e.reference_cost])
def test_cost_is_the_authors(name):
  ours, theirs = COSTS[name].reference, MODELS[name].reference_cost
  assert ours.params == theirs.params
  assert ours.gmacs == pytest.approx(theirs.gmacs, 0.005)


class _NoAttention(nn.Module):
  def __call__(self, x, train=False):
    return x, {}


@pytest.mark.slow
@pytest.mark.parametrize(
  ("name", "frames", "printed"),
  [
    ("atm_vit_b16", 32, 378),
    ("atm_vit_l14", 8, 421),
    ("atm_vit_l14_336", 8, 946),
  ],
)
def test_the_paper_of_atm_leaves_attention_out(name, frames, printed):
  model = create_model(name, num_classes=400)
  temporal = Temporal(attention=_NoAttention, followed_by=model.temporal)
  model = model.clone(temporal=temporal)
  side = MODELS[name].clip_shape[1]
  (clip,) = count.abstract_inputs(model, (frames, side, side), 400)
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  found = count.multiply_adds(model.apply, variables, clip) / 1e9
  assert found == pytest.approx(printed, rel=2e-3)


def test_what_is_written_is_read(tmp_path, monkeypatch):
  monkeypatch.setattr(counted_costs, "_FILE", tmp_path / "costs.json")
  costs = {
    "one": CountedCost(Cost(12, 0.5), None),
    "two": CountedCost(Cost(3, 1.25), Cost(4, 2.0)),
  }
  counted_costs.write_costs(costs)
  assert counted_costs.read_costs() == costs
  assert len((tmp_path / "costs.json").read_text().splitlines()) == len(costs) + 2
