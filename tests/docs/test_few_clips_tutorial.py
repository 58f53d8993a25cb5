"""docs/few_clips.md, from its first command to its last."""

import json
import os
import subprocess
import sys

import pytest

from temporal_jax.data import DatasetSource
from temporal_jax.data.datasets import camera_motion
from tests.support import doc_blocks

# Commands that do not end, or that take an hour.
_LEFT_OUT = ("serve", "benchmarks.few_clips")
_SHORT = ("--config.num_steps=3", "--config.optim.warmup_steps=0")


def _run(words, place):
  if {"--config=finetune", "--config=adapters:low_rank_resnet"} & {*words}:
    words = (*words, *_SHORT)
  program = "from temporal_jax.cli import run_process as run; raise SystemExit(run())"
  own = {
    "PYTHONPATH": str(doc_blocks.ROOT),
    "XLA_FLAGS": "",  # One device.
    "XDG_CACHE_HOME": str(place / "caches"),
  }
  done = subprocess.run(
    [sys.executable, "-c", program, *words[1:]],
    cwd=place,
    env={**os.environ, **own},
    capture_output=True,
    text=True,
    check=False,
  )
  assert done.returncode == 0, (words, done.stderr)
  return done.stdout


@pytest.mark.slow
def test_the_page_runs_from_its_first_line_to_its_last(monkeypatch, tmp_path):
  clips = {"train": 42, "test": 12}
  monkeypatch.setattr(camera_motion.CameraMotion, "NUM_CLIPS", clips)
  DatasetSource("compound_motion", "train", tmp_path / "data")
  outputs = {}
  for block in doc_blocks.blocks():
    if block.page == "docs/few_clips.md" and block.kind != "text":
      for command in doc_blocks.commands(block):
        if not any(word in _LEFT_OUT for word in command.words):
          outputs[command.words[1:3]] = _run(command.words, tmp_path)
  assert "cross-validation, " in outputs["train", "--config=probe"]
  assert "42 training" in outputs["train", "--config=probe"]
  report = json.loads((tmp_path / "runs/probe/report.json").read_text())
  tested = json.loads((tmp_path / "tested/report.json").read_text())
  assert tested["top1"] == report["top1"]
  assert tested["clips_scored"] == 12
  assert "95% confidence interval" in outputs["runs", "runs/probe"]
  assert "tuned" in outputs["runs", "runs/probe"]
  assert outputs["predict", "clips/test"].count("%") >= 12
