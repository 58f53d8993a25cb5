"""Runs that are observed and profiled."""

import json

import pytest


def test_observers_and_a_profile_change_nothing(
  run, whole, video_folder, tmp_path, monkeypatch
):
  monkeypatch.setenv("WANDB_MODE", "offline")
  monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
  workdir = tmp_path / "run"
  flags = (f"data.root={video_folder}", "observers=('trackio', 'wandb')")
  status, out, err = run(workdir, *flags, more=("--profile=4:6",))
  assert status == 0, err
  metrics = (workdir / "metrics.jsonl").read_text()
  assert metrics == (whole[0] / "metrics.jsonl").read_text()
  name = f"run-{json.loads((workdir / 'observers.json').read_text())['id']}"
  assert f"Created new run: {name}" in out
  assert not (workdir / "tensorboard").exists()
  assert len(list(workdir.glob("wandb/offline-run-*/*.wandb"))) == 1
  assert len(list(workdir.glob("profile/plugins/profile/*/*.xplane.pb"))) == 1


@pytest.mark.parametrize(
  ("flags", "more", "words"),
  [
    (["observers=('wand',)"], [], "unknown observer 'wand'; did you mean 'wandb'?"),
    ([], ["--profile=4:99"], "--profile must be FIRST:LAST"),
  ],
)
def test_a_refused_observer_or_profile_changes_nothing(
  run, video_folder, tmp_path, flags, more, words
):
  workdir = tmp_path / "run"
  status, _, err = run(workdir, f"data.root={video_folder}", *flags, more=more)
  assert status == 1
  assert err.startswith(f"train.py: {words}")
  assert len(err.splitlines()) == 1
  assert not workdir.exists()
