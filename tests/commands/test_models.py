import json

import pytest

from temporal_jax import models
from temporal_jax.cli import main
from temporal_jax.display import tables
from tests.support import saved_models


def test_models_are_a_table(capsys):
  assert main(["models", "tadaformer_?1?"]) == 0
  head, *rows = capsys.readouterr().out.splitlines()
  assert head.split()[:3] == ["name", "view", "params"]
  assert [row.split()[0] for row in rows] == [
    "tadaformer_b16",
    "tadaformer_l14",
  ]
  # The paper has 104.1 M and 153 G at 16 frames (table 8).
  assert "16 x 224     104.2   153.6" in rows[0]
  assert "Kinetics-400 86.6 (16x4x3), SSv1 61.2 (32x" in rows[0]
  assert rows[0].endswith("arXiv:2308.05787; alibaba-mmai-research/TAdaConv")
  for column in ("view", "published", "source"):
    assert rows[0][head.index(column) - 1] == " "


def test_a_terminal_of_80_columns_has_whole_names_and_figures(capsys, monkeypatch):
  monkeypatch.setattr(tables, "output_width", lambda: 80)
  assert main(["models"]) == 0
  head, *lines = capsys.readouterr().out.splitlines()
  assert head.split() == ["name", "view", "params", "M", "GFLOPs", "published"]
  assert max(map(len, lines)) <= 80
  names = [line.split()[0] for line in lines if not line.startswith(" ")]
  assert names == models.list_models()
  place = head.index("published")
  figures = " ".join(line[place:].strip() for line in lines)
  for entry in models.MODELS.values():
    best = entry.best_accuracies().values()
    assert ", ".join(map(str, best)) in figures


def test_models_are_json(capsys):
  assert main(["models", "--json"]) == 0
  records = {r["name"]: r for r in json.loads(capsys.readouterr().out)}
  assert len(records) > 70
  record = records["atm_vit_b16"]
  assert record["clip_shape"] == [8, 224, 224]
  assert {
    "data": "Kinetics-400",
    "frames": 8,
    "clips": 4,
    "crops": 3,
    "top1": 84.1,
    "start": "CLIP",
    "where": "arXiv:2307.08908 supplement, table A.7",
  } in record["accuracies"]
  assert record["weights"] is None
  assert records["vit_b16"]["weights"] == "https://github.com/openai/CLIP"
  assert records["resnet18"]["accuracies"] == []


def test_describe_takes_what_other_commands_take(tmp_path, capsys):
  assert main(["describe", "camera_motion"]) == 0
  shown = capsys.readouterr().out
  assert "for a clip of 8 x 32 x 32 x 3" in shown
  assert "TemporalAggregation  all 8 blocks" in shown
  directory = saved_models.save_resnet(tmp_path / "tiny")
  assert main(["describe", directory, "--frames", "3"]) == 0
  shown = capsys.readouterr().out
  assert shown.startswith("resnet18: ResNet\n")
  assert "for a clip of 3 x 16 x 16 x 3" in shown
  assert shown.splitlines()[-1].split()[-1] == "18"  # 8 x 2 + 2 of the head.


def test_describe_prints_what_is_asked_for(capsys, monkeypatch):
  def describe(name, **options):
    yield from (name, *(f"{key} {value}" for key, value in options.items()))

  monkeypatch.setattr(models, "describe", describe)
  words = ["resnet18", "--frames", "1", "--image-size", "32", "--depth", "3"]
  assert main(["describe", *words, "--temporal", "shift"]) == 0
  assert capsys.readouterr().out.splitlines() == [
    "resnet18",
    "levels 3",
    "num_classes 400",
    "num_frames 1",
    "image_size 32",
    "temporal shift",
  ]


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["models", "resnet5O"], r"models: no network's name matches 'resnet5O'"),
    (["describe", "resnet5O"], "describe: unknown model 'resnet5O'"),
    (["describe", "qqq"], "more; `temporal-jax models` lists all."),
    (["describe", "resnet18", "--temporal", "joint"], "describe: ResNet has"),
  ],
)
def test_what_cannot_be_run_ends_with_2(words, message, capsys):
  assert main(words) == 2
  assert message in capsys.readouterr().err
