"""What networks cost, counted anew and against their authors' code."""

import pytest

from temporal_jax.models import MODELS, counting
from temporal_jax.models.costs import COSTS
from temporal_jax.models.figures import FIGURES


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
  ours = counting.count_network(name, spec.clip_shape, counting.NUM_CLASSES)
  assert ours.params == cost.params
  assert ours.gmacs == pytest.approx(cost.gmacs, abs=5e-4)


def test_cost_is_the_authors_where_the_view_is():
  same = [
    name
    for name, figures in FIGURES.items()
    if figures.num_classes == counting.NUM_CLASSES
    and figures.clip_shape == MODELS[name].clip_shape
  ]
  assert len(same) > 15
  for name in same:
    assert COSTS[name].params == FIGURES[name].params
    assert COSTS[name].gmacs == pytest.approx(FIGURES[name].gmacs, 0.005)
