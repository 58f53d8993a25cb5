import json

import pytest

from benchmarks import few_clips
from temporal_jax.data import DatasetSource
from temporal_jax.data.datasets import camera_motion


def test_rows_are_means_over_repetitions():
  runs = [
    {"method": "probe", "clips": 5, "seed": seed, "top1": top1, "seconds": 3.0 + seed}
    for seed, top1 in enumerate((0.5, 0.7, 0.6))
  ]
  runs[0]["cross_validation"], runs[1]["cross_validation"] = 0.8, 0.6
  (row,) = few_clips.summarize(runs)
  assert row["top1"] == pytest.approx(0.6)
  assert row["deviation"] == pytest.approx((0.02 / 3) ** 0.5)
  assert row["cross_validation"] == pytest.approx(0.7)
  assert row["seconds"] == 4


@pytest.mark.slow
def test_all_ways_run_and_go_on(monkeypatch, tmp_path, capsys):
  clips = {"train": 24, "test": 12}
  monkeypatch.setattr(camera_motion.CameraMotion, "NUM_CLIPS", clips)
  DatasetSource("compound_motion", "train", tmp_path / "work" / "data")
  words = ["--work", str(tmp_path / "work"), "--clips", "2", "--seeds", "0"]
  file = tmp_path / "figures.json"
  short = ["--config.num_steps=2", "--config.optim.warmup_steps=0"]
  few_clips.main([*words, "--methods", "probe", "--more", *short])
  before = [*tmp_path.glob("work/probe*/model.safetensors")]
  assert len(before) == 1
  stamp = before[0].stat().st_mtime_ns
  few_clips.main([*words, "--json", str(file), "--more", *short])
  assert before[0].stat().st_mtime_ns == stamp  # It is not trained twice.
  found = json.loads(file.read_text())
  assert {row["method"] for row in found["rows"]} == {*few_clips.METHODS}
  assert all(0 <= row["top1"] <= 1 for row in found["rows"])
  assert "low-rank adapters" in capsys.readouterr().out
