"""What networks cost, counted anew and against their authors' code."""

import pytest

from temporal_jax.models import MODELS
from temporal_jax.models.catalog.costs import COSTS
from temporal_jax.models.catalog.reference_costs import FIGURES
from temporal_jax.models.inspect import catalog_cost


def test_every_network_has_its_cost():
  assert list(COSTS) == list(MODELS)


@pytest.mark.parametrize(
  "name",
  [
    pytest.param(
      name,
      marks=[] if name in ("resnet18", "r3d_18") else [pytest.mark.slow],
      id=name,
    )
    for name in MODELS
  ],
)
def test_cost_is_counted(name):
  spec, cost = MODELS[name], COSTS[name]
  ours = catalog_cost.count_network(name, spec.clip_shape, catalog_cost.NUM_CLASSES)
  assert ours.params == cost.params
  assert ours.gmacs == pytest.approx(cost.gmacs, abs=5e-4)


def test_cost_is_the_authors_where_the_view_is():
  same = [
    name
    for name, figures in FIGURES.items()
    if figures.num_classes == catalog_cost.NUM_CLASSES
    and figures.clip_shape == MODELS[name].clip_shape
  ]
  assert len(same) > 15
  for name in same:
    assert COSTS[name].params == FIGURES[name].params
    assert COSTS[name].gmacs == pytest.approx(FIGURES[name].gmacs, 0.005)
