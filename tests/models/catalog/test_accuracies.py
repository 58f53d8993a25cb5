"""Published accuracy, and what the page of recipes shows of it."""

import re

import pytest

from docs import paper_tables
from temporal_jax.models import MODELS

# Top-1 by the frames of a run and its stages, read in the papers' tables.
TOP1 = {
  "atm:eva_l14_336_k400": {8: 88.9},
  "atm:eva_l14_k400": {8: 88.0},
  "atm:eva_l14_ssv1": {16: 65.6},
  "atm:eva_l14_ssv2": {16: 74.6},
  "atm:resnet101_k400": {8: 78.0},
  "atm:resnet101_ssv1": {8: 54.9},
  "atm:resnet101_ssv2": {8: 66.4},
  "atm:resnet152_k400": {16: 79.4},
  "atm:resnet18_ssv1": {8: 48.2},
  "atm:resnet50_k400": {8: 77.0},
  "atm:resnet50_ssv1": {8: 53.9},
  "atm:resnet50_ssv2": {8: 65.5},
  "atm:vit_b16_k400": {8: 84.1},
  "atm:vit_b16_ssv1": {8: 58.1},
  "atm:vit_b16_ssv2": {8: 69.4},
  "atm:vit_l14_336_k400": {32: 88.2},
  "atm:vit_l14_anet": {16: 90.2},
  "atm:vit_l14_k400": {8: 87.3},
  "atm:vit_l14_ssv1": {8: 61.9},
  "atm:vit_l14_ssv2": {8: 71.3},
  "blvnet:tam_101_ssv1": {16: 47.8, 32: 49.6, 48: 52.2, 64: 53.1},
  "blvnet:tam_101_ssv2": {16: 60.2, 32: 61.9, 48: 64.0, 64: 65.2},
  "blvnet:tam_50_k400": {16: 71.0, 32: 72.0, 48: 73.5},
  "blvnet:tam_50_mit": {16: 31.2, 32: 31.4},
  "blvnet:tam_50_ssv1": {16: 46.4, 32: 48.4},
  "blvnet:tam_50_ssv2": {16: 59.1, 32: 61.7},
  "tada:convnextv2_base_k400": {16: 81.4},
  "tada:convnextv2_base_k710_k400": {32: 86.4},
  "tada:convnextv2_base_ssv1": {32: 60.7},
  "tada:convnextv2_base_ssv2": {32: 71.1},
  "tada:convnextv2_small_k400": {16: 80.8},
  "tada:convnextv2_small_k710_k400": {32: 86.1},
  "tada:convnextv2_small_ssv1": {16: 55.6},
  "tada:convnextv2_small_ssv2": {16: 68.4},
  "tada:convnextv2_tiny_k400": {16: 79.6},
  "tada:convnextv2_tiny_ssv1": {16: 54.1},
  "tada:convnextv2_tiny_ssv2": {16: 67.2},
  "tada:former_b16_k400": {16: 84.5},
  "tada:former_b16_k710_k400": {16: 86.6},
  "tada:former_b16_ssv1": {16: 59.2},
  "tada:former_b16_ssv2": {16: 70.4},
  "tada:former_l14_k400": {16: 87.6},
  "tada:former_l14_k710_k400": {16: 88.9},
  "tada:former_l14_ssv1": {16: 62.0},
  "tada:former_l14_ssv2": {16: 72.4},
  "tada:r2plus1d_1d_k400": {8: 75.4},
  "tada:r2plus1d_1d_ssv2": {8: 63.8},
  "tada:r2plus1d_k400": {8: 75.2},
  "tada:r2plus1d_ssv2": {8: 62.9},
  "tada:r3d_k400": {8: 74.9},
  "tada:r3d_ssv2": {8: 62.9},
  "tada:slowfast_4x16_k400": {32: 76.5},
  "tada:slowfast_4x16_ssv2": {32: 59.8},
  "tada:slowfast_8x8_k400": {32: 77.4},
  "tada:slowfast_8x8_ssv2": {32: 63.9},
  "tada:slowonly_k400": {8: 75.9},
  "tada:slowonly_ssv2": {8: 63.3},
  "tada:tada2d_16f_ssv2": {16: 65.6},
  "tada:tada2d_16x5_k400": {16: 77.4},
}


def test_every_figure_is_complete():
  assert sum(len(entry.accuracies) for entry in MODELS.values()) > 150
  for name, entry in MODELS.items():
    figures = entry.accuracies
    assert len(set(figures)) == len(figures), name
    for figure in figures:
      assert 10 < figure.top1 < 100, (name, figure)
      assert re.fullmatch(
        r"arXiv:\d{4}\.\d{5}( supplement)?, table [A\d.]+c?"
        r"|(README|MODEL_ZOO) of [\w/-]+",
        figure.where,
      )
      assert (figure.clips is None) == (figure.crops is None)


def test_the_best_is_that_of_any_frames_and_views():
  best = MODELS["tadaformer_b16"].best_accuracies()
  top1 = {data: figure.top1 for data, figure in best.items()}
  assert top1 == {"Kinetics-400": 86.6, "SSv1": 61.2, "SSv2": 71.3}
  assert MODELS["resnet18"].best_accuracies() == {}


@pytest.mark.parametrize("run", TOP1)
def test_the_rows_of_the_papers_have_the_same_figures(run):
  rows = list(paper_tables.read(run.partition(":")[0]))
  for top1 in TOP1[run].values():
    assert any(f"{top1} % top-1" in row.printed for row in rows), top1
