"""Records of runs: figures, differences, and what is damaged."""

import json

import pytest

from temporal_jax import inference
from temporal_jax.inference.compare_runs import Figures
from tests.support.run_records import CONFIG, write_run


def test_figures_of_a_run_are_read(tmp_path):
  (run,) = inference.read_runs([write_run(tmp_path / "run")])
  assert run.figures == Figures(
    steps=40,
    num_steps=40,
    measure="top1",
    final=0.7,
    best=0.5,
    best_step=20,
    accuracy=0.5,
    loss=0.1,
    seconds=60.0,
    parameters=704_232,
    multiply_adds=run.figures.multiply_adds,
  )
  assert 5e7 < run.figures.multiply_adds < 1e8
  assert (run.name, run.kind, run.problems) == ("run", "classification", ())
  assert len(run.test_list) == 64
  assert run.config["optim.lr"] == 0.1


@pytest.mark.parametrize(
  ("paths", "names"),
  [
    (["a/x", "b/x"], ["a", "b"]),
    (["a/x", "a/y"], ["x", "y"]),
    (["a/1/x", "b/1/x", "b/2/x"], ["a/1", "b/1", "b/2"]),
    (["a", "a/x"], ["a", "x"]),
  ],
)
def test_names_are_as_short_as_they_can_be(tmp_path, paths, names):
  for path in paths:
    (tmp_path / path).mkdir(parents=True)
  runs = inference.read_runs([tmp_path / path for path in paths])
  assert [run.name for run in runs] == names


def test_only_fields_that_differ_are_listed(tmp_path):
  other = {**CONFIG, "optim": {"lr": 0.2, "betas": [0.9, 0.99], "decay": 1}}
  folders = [write_run(tmp_path / "a"), write_run(tmp_path / "b", config=other)]
  runs = inference.read_runs(folders)
  differences = inference.config_differences(runs)
  assert differences == {"optim.lr": [0.1, 0.2], "optim.decay": [None, 1]}
  assert inference.config_differences(runs[:1]) == {}
  assert inference.describe_mismatches(runs) == []


def test_fields_of_another_kind_do_not_differ(tmp_path):
  probes = [
    {**CONFIG, "task": "probe", "probe": {"head": head, "folds": 5}}
    for head in ("average", "attention")
  ]
  folders = [
    write_run(tmp_path / str(number), config=config)
    for number, config in enumerate([CONFIG, *probes])
  ]
  assert inference.config_differences(inference.read_runs(folders[:2])) == {
    "task": ["classification", "probe"]
  }
  found = inference.config_differences(inference.read_runs(folders))
  assert found["probe.head"] == [None, "average", "attention"]
  assert [*found] == ["task", "probe.head"]


def test_runs_that_cannot_be_compared_are_named(tmp_path):
  longer = {**CONFIG, "num_steps": 80}
  films = {**CONFIG, "task": "localization"}
  folders = [
    write_run(tmp_path / "a"),
    write_run(tmp_path / "b", config=longer),
    write_run(tmp_path / "c", config=films, measure="mAP"),
  ]
  described = json.loads((folders[1] / "model.json").read_text())
  described["lists"]["test"]["sha256"] = "0" * 64
  (folders[1] / "model.json").write_text(json.dumps(described))
  runs = inference.read_runs(folders)
  assert inference.describe_mismatches(runs) == [
    "the runs are of different kinds, classification: a, b; localization: c.",
    "the lists of test videos differ between a; b.",
    "b has done 40 of 80 steps.",
  ]
  assert [run.figures.measure for run in runs] == ["top1", "top1", "mAP"]
  assert runs[2].figures.parameters is None


def test_a_probe_has_a_report_and_no_steps(tmp_path):
  folder = write_run(tmp_path / "run", config={**CONFIG, "task": "probe"})
  for name in ("metrics.jsonl", "timing.jsonl"):
    (folder / name).unlink()
  report = {"top1": 0.75, "intervals": {"values": {"top1": [0.5, 0.9]}}}
  (folder / "report.json").write_text(json.dumps({**report, "clips_scored": 12}))
  (run,) = inference.read_runs([folder])
  assert (run.figures.final, run.figures.steps, run.problems) == (0.75, None, ())
  assert (run.figures.interval, run.figures.clips) == ((0.5, 0.9), 12)
  assert inference.describe_mismatches([run]) == []


@pytest.mark.parametrize(
  ("file", "text", "message"),
  [
    ("metrics.jsonl", '{"step": oops}\n', "line 1 is damaged"),
    ("metrics.jsonl", '{"step": 1, "loss": "low"}\n', "loss of step 1 is 'low', no"),
    ("metrics.jsonl", "", "has neither metrics.jsonl with values nor report.json"),
    ("timing.jsonl", "[]\n", "line 1 is damaged"),
    ("config.json", "{", "is not JSON"),
    ("config.json", "[]", "holds no JSON object"),
    ("config.json", None, "config.json is missing"),
    ("model.json", "{}", "model.json"),
    ("report.json", "{", "is not JSON"),
    ("report.json", '{"top1": 7.5}', r"top1 is 7.5, and not in [0, 1]"),
  ],
)
def test_a_damaged_record_is_named_and_the_others_are_read(
  tmp_path, file, text, message
):
  folder = write_run(tmp_path / "run")
  if text is None:
    (folder / file).unlink()
  else:
    (folder / file).write_text(text)
  (run,) = inference.read_runs([folder])
  (problem,) = run.problems
  assert message in problem
  assert str(folder) in problem
  if file != "metrics.jsonl":
    assert run.figures.final == 0.7


def test_steps_without_values_are_named(tmp_path):
  folder = write_run(tmp_path / "run")
  (folder / "metrics.jsonl").unlink()
  (folder / "report.json").write_text(json.dumps({"top1": 1}))
  (run,) = inference.read_runs([folder])
  assert run.figures.final == 1
  assert "has no metrics.jsonl with values, only report.json" in run.problems[0]


def test_a_run_that_stop_after_ended_differs_from_a_killed_one(tmp_path):
  early = {**CONFIG, "num_steps": 80, "keep_best": "top1", "stop_after": 2}
  folder = write_run(tmp_path / "run", config=early)
  tests = [{"step": step, "test/top1": 0.5} for step in (10, 20, 30)]
  for rows in (tests[:2], tests):
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    notes = inference.describe_mismatches(inference.read_runs([folder]))
    assert len(notes) == 1
    assert ("stopped by stop_after 2, top1 of the test" in notes[0]) == (len(rows) == 3)


def test_what_is_no_run_is_refused(tmp_path):
  folder = write_run(tmp_path / "run")
  with pytest.raises(FileNotFoundError, match="nowhere is no folder of a run"):
    inference.read_runs([folder, tmp_path / "nowhere"])
  with pytest.raises(ValueError, match="is given twice"):
    inference.read_runs([folder, tmp_path / "." / "run"])
