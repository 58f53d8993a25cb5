"""Published accuracy, against what the configs of the papers' runs expect."""

import re

from docs import generate
from temporal_jax.models import MODELS

SHORT = {"Something-Something v1": "SSv1", "Something-Something v2": "SSv2"}


def test_every_figure_is_complete():
  assert sum(len(entry.accuracies) for entry in MODELS.values()) > 150
  for name, entry in MODELS.items():
    figures = entry.accuracies
    assert len(set(figures)) == len(figures), name
    for figure in figures:
      assert 10 < figure.top1 < 100, (name, figure)
      assert re.fullmatch(
        r"arXiv:\d{4}\.\d{5}( supplement)?, table [A\d.]+c?", figure.where
      )
      assert (figure.clips is None) == (figure.crops is None)


def test_the_best_is_that_of_any_frames_and_views():
  best = MODELS["tadaformer_b16"].best_accuracies()
  assert best == {"Kinetics-400": 86.6, "SSv1": 61.2, "SSv2": 71.3}
  assert MODELS["resnet18"].best_accuracies() == {}


def _recipes():
  """Yields model, data, frames, top-1 and table of what the configs expect.

  The first figure is that of the config's frames; in several stages there is
  one for the frames of each.
  """
  _, *rows = generate.recipes()
  for _, model, data, frames, expected, _ in rows:
    table = re.search(r"tables? (?:A\.4 and )?(A\.\d+|\d+c?)\b", expected)
    if table is None or "top-1" not in expected or "not published" in expected:
      continue
    frames = [int(count) for count in frames.split(", ")]
    top1 = re.findall(r"\d\d\.\d+", expected)[: len(frames)]
    for count, value in zip(frames, top1, strict=True):
      yield model.strip("`"), SHORT.get(data, data), count, float(value), table[1]


def test_configs_and_entries_agree():
  rows = list(_recipes())
  assert len(rows) > 60
  lacking = []
  for model, data, frames, top1, table in rows:
    found = {
      (figure.data, figure.frames, figure.top1)
      for figure in MODELS[model].accuracies
      if figure.where.endswith(f"table {table}")
    }
    if (data, frames, top1) not in found:
      lacking.append((model, data, frames, top1, table))
  # Table 4 of TAda names no frames; table 5 of X-ViT's paper is not at hand.
  assert all(row[-1] in ("4", "5") for row in lacking), lacking
  assert len(lacking) < 4
