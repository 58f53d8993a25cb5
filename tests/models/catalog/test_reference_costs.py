"""Every network costs what its authors' code costs; docs/models.md says so."""

import pathlib
import re

import pytest

from temporal_jax.models import MODELS
from temporal_jax.models.catalog import models_page
from temporal_jax.models.catalog.reference_costs import FIGURES

# They take many seconds to trace.
LARGE = re.compile("l14|small|base|101|152|8x8|ila_vit_b16")
PAGE = pathlib.Path(__file__).parents[3] / "docs" / "models.md"


@pytest.mark.parametrize(
  "name",
  [
    pytest.param(name, marks=[pytest.mark.slow] if LARGE.search(name) else [])
    for name in FIGURES
  ],
)
def test_cost_is_the_authors(name):
  ours, figures = models_page.cost(name), FIGURES[name]
  assert ours.params == figures.params
  assert ours.gmacs == pytest.approx(figures.gmacs, 0.005)
  line = f"{ours.params / 1e6:.3f} | {figures.params / 1e6:.3f} | "
  line += f"{ours.gmacs:.3f} | {figures.gmacs:.3f} | {figures.paper} |"
  written = [row for row in PAGE.read_text().split("\n") if f"`{name}`" in row]
  assert len(written) == 1
  assert written[0].endswith(line)


def test_every_figure_has_a_network():
  assert set(FIGURES) <= set(MODELS)
  page = PAGE.read_text()
  assert page.startswith(models_page._HEAD)
  assert page.count("\n| `") == len(FIGURES)
