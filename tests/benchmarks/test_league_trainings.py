import json
import os
import subprocess
import threading

import pytest

from benchmarks.league_parts import run
from benchmarks.league_parts.entries import ENTRIES
from benchmarks.shared import trained_once


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
def test_the_command_is_that_of_the_entry(tmp_path):
  from tests.support.read_config import read_config

  job = run.Job("camera_motion", "tsm_vit_attention", 2e-3, 1, 40, run.RATE, "vit_none")
  read = read_config(job.arguments(tmp_path))
  assert read.model.overrides.head == "attention"
  assert read.model.overrides.width == 48
  assert "stem" not in read.model.overrides
  assert read.model.temporal == "residual_shift"
  assert (read.num_steps, read.optim.warmup_steps, read.optim.lr) == (40, 4, 2e-3)
  assert (read.data.train_split, read.data.test_split) == run.HELD_OUT
  assert read.data.name == "camera_motion"
  start = run.Job("something_moves", "vit_none", 2e-3, 0, 40, run.START)
  assert read.init_from == str(start.place(tmp_path))
  # Clips that choose a rate are new to the weights at the start too.
  first = read_config(start.arguments(tmp_path))
  assert first.data.train_split == run.HELD_OUT[0]
  assert first.data.test_split not in run.HELD_OUT
  tested = run.Job("camera_motion", "ila_no_loss", 2e-3, 1, 40)
  other = read_config(tested.arguments(tmp_path))
  assert other.data.train_split == "train"
  assert other.loss.alignment == 0
  assert not other.init_from
  assert len({one.place(tmp_path) for one in (job, start, tested)}) == 3


def test_trainings_at_once_have_their_own_cores(tmp_path, monkeypatch):
  monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 4, 5}, raising=False)
  assert run.core_shares(1) == [()]
  assert run.core_shares(2) == [(0, 4), (1, 5)]
  with pytest.raises(ValueError, match="5 trainings at once need as many cores, not 4"):
    run.core_shares(5)
  taken, both = [], threading.Barrier(2)

  def train(work, job, cores):
    both.wait(timeout=60)  # Two run at the same time.
    taken.append(cores)
    return {"seed": job.seed}

  monkeypatch.setattr(run, "run", train)
  jobs = [run.Job("camera_motion", "tsm", 1e-3, seed, 5) for seed in range(4)]
  found = [*run.run_all(tmp_path, jobs, 2)]
  assert [figures["seed"] for figures in found] == [0, 1, 2, 3]
  assert {*taken} == {(0, 4), (1, 5)}
  monkeypatch.setattr(run, "run", lambda work, job, cores: {"cores": cores})
  assert [*run.run_all(tmp_path, jobs[:1], 2)] == [{"cores": ()}]  # All of them.
  assert not [*run.run_all(tmp_path, [], 2)]


def test_a_failed_training_is_shown_and_tried_again(tmp_path, monkeypatch):
  job = run.Job("camera_motion", "tsm", 1e-3, 0, 5)

  def fail(command, *, stdout, **kwargs):
    stdout.write("no memory\n")
    return 9

  monkeypatch.setattr(subprocess, "call", fail)
  for _ in range(2):
    with pytest.raises(SystemExit, match=r"status 9\):\nno memory"):
      run.run(tmp_path, job)


def test_a_training_that_was_stopped_goes_on_with_its_settings_only(
  tmp_path, monkeypatch
):
  job, calls = run.Job("camera_motion", "tsm", 1e-3, 0, 5), []
  monkeypatch.setattr(subprocess, "call", lambda command, **kwargs: calls.append(1))
  for expected in (1, 2):
    with pytest.raises(SystemExit, match="did not end"):
      run.run(tmp_path, job)
    assert len(calls) == expected
  with pytest.raises(SystemExit, match="with steps 5, not 6: remove it"):
    run.run(tmp_path, job._replace(steps=6))
  assert len(calls) == 2


@pytest.mark.parametrize(
  ("change", "message"),
  [
    ({"lr": 2e-3}, r"with lr 0\.001, not 0\.002: remove it"),
    ({"steps": 6}, "with steps 5, not 6"),
    ({"start": "resnet_none"}, "with start '', not 'resnet_none'"),
  ],
)
def test_another_training_is_not_taken(tmp_path, change, message):
  job = run.Job("camera_motion", "tsm", 1e-3, 0, 5)
  job.place(tmp_path).mkdir(parents=True)
  file = job.place(tmp_path) / "figures.json"
  file.write_text(json.dumps({**job.description(), "top1": 0.5}))
  assert run.run(tmp_path, job)["top1"] == 0.5
  with pytest.raises(SystemExit, match=message):
    run.run(tmp_path, job._replace(**change))


def test_the_training_of_an_entry_that_was_changed_is_not_taken(tmp_path, monkeypatch):
  job = run.Job("camera_motion", "tsm", 1e-3, 0, 5)
  trained_once.take_over(job.place(tmp_path), {**job.description(), "top1": 0.5})
  changed = ENTRIES["tsm"]._replace(settings={"model.overrides.width": 8})
  monkeypatch.setattr(run, "ENTRIES", {"tsm": changed})
  with pytest.raises(SystemExit, match=r"with network .*, not .*width=8\)"):
    run.run(tmp_path, job)
