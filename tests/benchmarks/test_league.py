import itertools
import json
import os
import runpy
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import league
from benchmarks.league_parts import claims, config, costs, entries, plan, plots, run
from temporal_jax import models
from temporal_jax.data import DatasetSource, datasets
from temporal_jax.models.operator_text import read_sequence, split_call

ENTRIES = entries.ENTRIES


def figures(entry, top1, seed=0, task="camera_motion"):
  own = {"task": task, "entry": entry, "seed": seed, "top1": top1, "pair_top1": 1.0}
  return {**own, "test_clips": 400, "training_top1": top1, "lr": 1e-3}


def test_every_operator_has_an_entry_or_a_reason():
  used = {
    split_call(node, "operator").name
    for entry in ENTRIES.values()
    for node in read_sequence(entry.temporal, "operator")
  }
  assert not used & entries.LEFT_OUT.keys()
  assert used | entries.LEFT_OUT.keys() == models.OPERATORS.keys()


@pytest.mark.parametrize("task", config.TASKS)
@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_is_a_network(name, task):
  model, clip = costs.create(task, ENTRIES[name])
  assert clip == (8, 32, 32, 3)  # Costs are those of both tasks.
  assert model.num_classes == config.TASKS[task].num_classes
  assert (model.temporal == models.Temporal()) == (ENTRIES[name].temporal == "none")


@pytest.mark.parametrize("task", config.TASKS)
def test_tasks_have_the_classes_of_their_data(task):
  assert len(datasets.find_builder(task).CLASSES) == config.TASKS[task].num_classes


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, e in ENTRIES.items() if e.published])
def test_published_operators_see_the_order_of_frames(name):
  model, shape = costs.create("camera_motion", ENTRIES[name])
  clip = jax.random.normal(jax.random.key(0), (1, *shape))
  # TAdaConv sees means of frames, in which noise would hardly differ.
  clip += jnp.arange(shape[0], dtype=clip.dtype).reshape(1, -1, 1, 1, 1)
  rng = np.random.default_rng(0)

  def change(leaf):  # At first many operators do nothing, by weights of zero.
    is_constant = jnp.all(leaf == leaf.ravel()[0])
    noise = 0.1 * rng.normal(size=leaf.shape).astype(np.float32)
    return leaf + jnp.where(is_constant, abs(noise), 0)

  variables = jax.tree.map(change, jax.jit(model.init)(jax.random.key(0), clip))
  logits = jax.jit(lambda clip: model.apply(variables, clip)[0])
  same = np.allclose(logits(clip), logits(clip[:, ::-1]), rtol=1e-3)
  assert same == (name in ("resnet_none", "vit_none"))


def test_entries_differ_and_share_rates_with_their_family():
  assert len({entry.label for entry in ENTRIES.values()}) == len(ENTRIES)
  assert len({repr(entry[3:5]) + entry.backbone for entry in ENTRIES.values()}) == len(
    ENTRIES
  )
  for entry in ENTRIES.values():
    source = ENTRIES[entries.swept(entry)]
    assert source[:2] == entry[:2]


@pytest.mark.parametrize("run_name", ["camera/resnet", "camera_motion/resnt", ""])
def test_an_unknown_config_is_refused(run_name):
  with pytest.raises(ValueError, match=r"unknown (task|backbone) of the league"):
    config.get_config(run_name)


def test_rows_are_means_and_one_seed_takes_the_spread_of_others():
  runs = [figures("tam", top1, seed) for seed, top1 in enumerate((0.8, 0.9, 1.0))]
  rows = claims.rows([*runs, figures("tsm", 0.5)])
  assert [row["entry"] for row in rows] == ["tam", "tsm"]
  assert rows[0]["top1"] == pytest.approx(0.9)
  assert rows[0]["spread"] == rows[1]["spread"] == pytest.approx(0.1)
  assert [row["seeds"] for row in rows] == [3, 1]
  assert [row["pair"] for row in rows] == [1, 1]
  assert [row["order"] for row in rows] == [pytest.approx(0.9), 0.5]
  (single,) = claims.rows([figures("tsm", 0.5)])
  assert single["spread"] == pytest.approx(0.025)  # sqrt(0.25 / 400)


@pytest.mark.parametrize(
  ("lower", "upper", "close", "verdict"),
  [
    (0.5, 0.9, False, "holds"),
    (0.9, 0.5, False, "does not hold"),
    (0.5, 0.56, False, "tie"),  # Their difference has a deviation of 0.035.
    (0.5, 0.58, False, "holds"),
    (0.56, 0.5, False, "tie"),
    (0.5, 0.56, True, "holds"),
    (0.5, 0.7, True, "does not hold"),
    (0.7, 0.5, True, "does not hold"),
  ],
)
def test_a_claim_is_judged_by_two_deviations(lower, upper, close, verdict):
  rows = claims.rows([figures("tsm", lower), figures("tam", upper)])
  claim = claims.Claim("TSM < TAM", "a paper", ("tsm",), ("tam",), close)
  judged = claims.judge(claim, "camera_motion", rows)
  assert judged["verdict"] == verdict
  assert judged["difference"] == pytest.approx(upper - lower)
  assert claims.judge(claim, "another", rows) is None


def test_several_seeds_make_a_difference_clear():
  lower = [figures("tsm", top1, seed) for seed, top1 in enumerate((0.4, 0.5, 0.6))]
  upper = [figures("tam", top1, seed) for seed, top1 in enumerate((0.6, 0.7, 0.8))]
  claim = claims.Claim("TSM < TAM", "a paper", ("tsm",), ("tam",))
  clear = claims.judge(claim, "camera_motion", claims.rows([*lower, *upper]))
  # sqrt(2 / 3) 0.1: the deviation of the difference of two means of three.
  assert clear["deviation"] == pytest.approx(0.0816, abs=1e-4)
  assert clear["verdict"] == "holds"
  single = claims.judge(claim, "camera_motion", claims.rows([*lower, upper[1]]))
  assert single["deviation"] == pytest.approx(0.1155, abs=1e-4)
  assert single["verdict"] == "tie"


def test_spreads_of_other_groups_are_not_taken():
  vits = [figures("ila", top1, seed) for seed, top1 in enumerate((0.1, 0.9))]
  resnet, _ = claims.rows([figures("tsm", 0.5), *vits])
  assert resnet["spread"] == pytest.approx(0.025)  # As without the ViTs.


def test_of_several_entries_the_nearest_are_compared():
  rows = claims.rows(
    [
      figures("tsm", 0.3),
      figures("tam", 0.6),
      figures("atm", 0.5),
      figures("tada", 0.9),
    ]
  )
  claim = claims.Claim("a < b", "a paper", ("tsm", "tam"), ("atm", "tada"))
  judged = claims.judge(claim, "camera_motion", rows)
  assert (judged["lower"], judged["upper"]) == ("tam", "atm")
  assert judged["verdict"] == "does not hold"


def test_claims_name_entries_and_are_left_out_where_one_is_missing():
  for claim in claims.CLAIMS:
    assert claim.lower
    assert claim.upper
    assert not {*claim.lower} & {*claim.upper}
    assert {*claim.lower, *claim.upper} <= ENTRIES.keys()
  rows = claims.rows([figures("tsm", 0.5), figures("tam", 0.9)])
  (judged,) = claims.judge_all(rows)
  assert judged["claim"] == "TSM < TAM, in the ResNet"


@pytest.mark.parametrize("spread", [0.0, 3.0, 40.0])
def test_labels_cover_neither_each_other_nor_points(spread):
  rng = np.random.default_rng(0)
  points = 150 + spread * rng.standard_normal((25, 2))
  others = 150 + spread * rng.standard_normal((20, 2))
  labels = plots.place_labels(
    points, others=others, size=(14, 8), bounds=(0, 0, 300, 300), marker=3
  )
  apart = np.abs(labels[:, None] - labels[None])
  overlaps = np.all(apart < (14, 8), axis=-1)
  assert overlaps.sum() == len(labels)  # Only each with itself.
  for point in (*points, *others):
    assert np.all(np.any(np.abs(labels - point) >= (10, 7), axis=-1))
  assert np.all((labels >= (7, 4)) & (labels <= (293, 296)))


def test_without_room_labels_are_refused():
  with pytest.raises(ValueError, match="no room"):
    plots.place_labels(
      np.zeros((2, 2)),
      others=np.zeros((0, 2)),
      size=(14, 8),
      bounds=(-10, -10, 10, 10),
      marker=3,
    )


def test_pictures_are_drawn(tmp_path):
  rows = claims.rows([figures(name, 0.5) for name in ENTRIES])
  for number, row in enumerate(rows):
    row |= {"gmacs": 0.07 + 0.001 * number, "clips_per_second": 900 + number}
  league.draw(tmp_path, rows)
  assert {file.name for file in tmp_path.iterdir()} == {
    f"league_{group}_camera_motion_{cost}.png"
    for group in ("resnets", "vits")
    for cost in ("gmacs", "clips_per_second")
  }


def test_every_backbone_has_a_group():
  groups = entries.GROUPS.values()
  grouped = [name for group in groups for name in group.backbones]
  assert sorted(grouped) == sorted(config.BACKBONES)
  assert {group.task for group in groups} <= config.TASKS.keys()


def test_published_operators_come_first_with_other_seeds_on_their_task():
  tasks = ["camera_motion", "something_moves"]
  camera, moves = tasks
  assert plan.phases(tasks, ["tam_5", "tsm", "ila"], [3, 4]) == [
    [(moves, "tsm", 3), (camera, "ila", 3)],
    [(camera, "tsm", 3), (moves, "ila", 3)],
    [(moves, "tam_5", 3)],
    [(moves, "tsm", 4), (camera, "ila", 4)],
  ]
  assert plan.phases([camera], ["tam_5"], [3, 4]) == [[(camera, "tam_5", 3)]]


def test_the_best_rate_of_the_family_is_taken():
  tried = [
    {"entry": entry, "lr": lr, "top1": top1}
    for entry, lr, top1 in (("tam", 1e-3, 0.2), ("tam", 2e-3, 0.6), ("tsm", 3e-3, 0.9))
  ]
  assert plan.chosen_rate("tam_5", tried) == 2e-3
  assert plan.chosen_rate("atm", tried) == plan.RATES["resnet"][0]


def test_trainings_before_the_ranked_ones():
  settings = plan.Settings(40, sweep_steps=20, from_start=True)
  names = ["tam", "tam_5", "xvit"]
  first = plan.starts(names, settings)
  assert [job.entry for job in first] == ["resnet_none", "vit_none"]
  assert [job.steps for job in first] == [960, 3840]
  swept = plan.sweep(names, settings)
  assert [(job.entry, job.start) for job in swept] == (
    2 * [("tam", "resnet_none")] + 2 * [("xvit", "vit_none")]
  )
  assert [(job.task, job.steps) for job in swept] == (
    2 * [("something_moves", 20)] + 2 * [("camera_motion", 40)]
  )
  assert not plan.starts(names, settings._replace(from_start=False))
  assert not plan.sweep(names, settings._replace(sweep_steps=0))


def test_causes_are_other_trainings_than_the_ranked_ones(tmp_path):
  settings = plan.Settings(40, sweep_steps=20, from_start=True)
  tasks = [*config.TASKS]
  slow = {"entry": "blvnet_tam", "lr": 3e-3, "top1": 0.5}
  jobs = plan.causes(tasks, [*ENTRIES], settings, [slow])
  assert len(jobs) == len(plan.CAUSES)
  ranked = [
    job
    for phase in plan.phases(tasks, [*ENTRIES], [0])
    for job in plan.ranked(phase, settings, [slow])
  ]
  both = [*jobs, *ranked]
  assert len({job.place(tmp_path) for job in both}) == len(both)
  # Without this training there would be nothing to compare with.
  assert {job[:2] for job in jobs} <= {job[:2] for job in ranked}
  used = {job._replace(purpose=run.RANKED, start="") for job in jobs}
  assert not used & {job._replace(start="") for job in ranked}
  chosen = plan.causes(["camera_motion"], ["blvnet_tam", "tam"], settings, [slow])
  assert [job.lr for job in chosen] == [3e-3, 4e-3, 3e-3]
  assert [job.steps for job in chosen] == [40, 40, 160]
  assert {job.start for job in chosen} == {"blvnet"}
  usual = slow | {"lr": 4e-3}
  (short, _) = plan.causes(["camera_motion"], ["blvnet_tam"], settings, [usual])
  assert (short.lr, short.steps) == (4e-3, 40)  # Once.


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["--entries", "tamm"], "did you mean 'tam"),
    (["--tasks", "camera"], "unknown task 'camera'"),
    (["--steps", "0"], "at least 1"),
    (["--plots", "missing"], "must be a folder that exists"),
    (["--starts", "missing"], "must be a folder that exists"),
    (["--resume", "missing.json"], "No such file or directory: 'missing.json'"),
    (["--resume", __file__], "is no JSON file of a league"),
  ],
)
def test_a_refused_command_writes_nothing(tmp_path, capsys, words, message):
  with pytest.raises(SystemExit):
    league.main(["--work", str(tmp_path / "work"), *words])
  assert message in capsys.readouterr().err
  assert not (tmp_path / "work").exists()


def test_it_is_a_command(monkeypatch, capsys):
  monkeypatch.setattr(sys, "argv", ["league", "--help"])
  monkeypatch.delitem(sys.modules, "benchmarks.league")
  with pytest.raises(SystemExit):
    runpy.run_module("benchmarks.league", run_name="__main__")
  assert "--quick" in capsys.readouterr().out


def test_a_folder_with_other_settings_is_refused(tmp_path, capsys):
  settings = plan.Settings(40, 20, True)
  league.note_settings(tmp_path, settings)
  league.check_folder(tmp_path, settings)
  with pytest.raises(SystemExit):
    league.main(["--work", str(tmp_path), "--steps", "41"])
  assert "trainings with {'steps': 40" in capsys.readouterr().err


def test_without_bound_cores_trainings_at_once_are_refused(
  tmp_path, monkeypatch, capsys
):
  monkeypatch.delattr(os, "sched_getaffinity", raising=False)
  with pytest.raises(SystemExit):
    league.main(["--work", str(tmp_path / "work"), "--at-once", "2"])
  assert "2 trainings at once need Linux" in capsys.readouterr().err
  assert not (tmp_path / "work").exists()


@pytest.mark.slow
def test_the_league_of_two_runs_and_goes_on(monkeypatch, tmp_path):
  clips = {"train": 64, "test": 16}
  for task in config.TASKS:
    monkeypatch.setattr(datasets.find_builder(task), "NUM_CLIPS", clips)
  monkeypatch.setattr(run, "PRIORITY", ())  # A test is waited for.
  monkeypatch.setattr(plan, "RATES", {"resnet": (1e-3, 2e-3)})
  monkeypatch.setattr(plan, "STARTS", {"resnet": entries.Start("resnet_none", 2)})
  # One device: eight take longer to compile for.
  flags = os.environ["XLA_FLAGS"].split()
  one = [flag for flag in flags if "device_count" not in flag]
  monkeypatch.setenv("XLA_FLAGS", " ".join(one))
  work, file = tmp_path / "work", tmp_path / "league.json"
  for task, split in itertools.product(config.TASKS, ("train", "test")):
    DatasetSource(task, split, work / "data")
  words = ["--steps", "2", "--seeds", "0", "--tasks", "camera_motion"]
  here = ["--work", str(work), "--json", str(file)]
  league.main([*words, *here, "--entries", "tsm"])
  first = json.loads(file.read_text())
  (run_of_tsm,) = first["runs"]
  assert run_of_tsm["entry"] == "tsm"
  assert run_of_tsm["steps"] == 2 * config.TASKS["camera_motion"].steps_factor
  assert [row["start"] for row in first["sweep"]] == 2 * ["resnet_none"]
  assert [row["entry"] for row in first["starts"]] == ["resnet_none"]
  swept = work / "rates" / "something_moves" / "tsm_0.001" / "figures.json"
  stamp = swept.stat().st_mtime_ns
  # A training whose figures were not written yet goes on where it was.
  (work / "ranked" / "camera_motion" / "tsm_0" / "figures.json").unlink()
  words += ["--entries", "tsm", "tam", "--causes"]
  longer = plan.Cause("camera_motion", "tam", 1.5)
  monkeypatch.setattr(plan, "CAUSES", (longer,))
  league.main([*words, *here, "--plots", str(tmp_path)])
  found = json.loads(file.read_text())
  assert [row["entry"] for row in found["runs"]] == ["tsm", "tam"]
  assert [(row["entry"], row["steps"]) for row in found["causes"]] == [("tam", 6)]
  assert found["runs"][0]["top1"] == first["runs"][0]["top1"]
  assert swept.stat().st_mtime_ns == stamp  # It is not trained twice.
  assert {row["entry"] for row in found["rows"]} == {"tsm", "tam"}
  assert all(row["gmacs"] > 0 and row["clips_per_second"] > 0 for row in found["rows"])
  assert [claim["claim"] for claim in found["claims"]] == ["TSM < TAM, in the ResNet"]
  assert len([*tmp_path.glob("*.png")]) == 2
  # Elsewhere the same command has nothing to train.
  monkeypatch.setattr(subprocess, "call", None)
  elsewhere, copy = tmp_path / "elsewhere", tmp_path / "copy.json"
  league.main(
    [
      *(*words, "--work", str(elsewhere), "--json", str(copy)),
      *("--resume", str(file), "--starts", str(work / "starts")),
    ]
  )
  copied = json.loads(copy.read_text())
  for name in ("starts", "sweep", "runs", "causes"):
    assert copied[name] == found[name]
