"""Published accuracy, against the figures that docs/recipes.md has."""

import pathlib
import re

import pytest

from temporal_jax.models import MODELS
from temporal_jax.models.catalog.accuracies import ACCURACIES

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "recipes.md"
SHORT = {"Something-Something v1": "SSv1", "Something-Something v2": "SSv2"}


def test_every_name_is_a_network():
  assert set(ACCURACIES) <= set(MODELS)
  with pytest.raises(TypeError):
    ACCURACIES["mine"] = ()


def test_every_figure_is_complete():
  for name, figures in ACCURACIES.items():
    assert len(set(figures)) == len(figures), name
    for figure in figures:
      assert 10 < figure.top1 < 100, (name, figure)
      assert re.fullmatch(
        r"arXiv:\d{4}\.\d{5}( supplement)?, table [A\d.]+c?", figure.where
      )
      assert (figure.clips is None) == (figure.crops is None)


def _recipes():
  """Yields model, data, frames, top-1 and table of the recipes' rows."""
  for line in PAGE.read_text().split("\n"):
    if not line.startswith("| `configs/"):
      continue
    _, model, data, frames, published, source = (
      cell.strip() for cell in line.strip("|").split("|")
    )
    table = re.search(r"published (?:.*?table )?(A\.\d+|\d+c?)$", source)
    top1 = re.match(r"[\d., ]+", published)
    if table and top1 and "README" not in source:
      numbers = zip(frames.split(", "), top1[0].split(", "), strict=True)
      for count, value in numbers:
        yield (
          *(model.strip("`"), SHORT.get(data, data), int(count)),
          *(float(value), table[1]),
        )


def test_recipes_and_tables_agree():
  rows = list(_recipes())
  assert len(rows) > 60
  lacking = []
  for model, data, frames, top1, table in rows:
    found = {
      (figure.data, figure.frames, figure.top1)
      for figure in ACCURACIES.get(model, ())
      if figure.where.endswith(f"table {table}")
    }
    if (data, frames, top1) not in found:
      lacking.append((model, data, frames, top1, table))
  # Table 4 of TAda names no frames; table 5 of X-ViT's paper is not at hand.
  assert all(row[-1] in ("4", "5") for row in lacking), lacking
