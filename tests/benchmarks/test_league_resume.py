import json
import shutil

import pytest

from benchmarks import league
from benchmarks.league_parts import plan, resume, run
from benchmarks.shared import trained_once


@pytest.fixture
def other_league(tmp_path):
  """A league's JSON file and its folder of starts."""

  def row(purpose, entry, lr, start):
    job = run.Job("something_moves", entry, lr, 0, 5, purpose, start)
    return {**job.description(), "top1": 0.5, "pair_top1": 0.8, "training_loss": 2.0}

  report = {
    "settings": plan.Settings(10, 5, True)._asdict(),
    "starts": [row(run.START, "resnet_none", 4e-3, "")],
    "sweep": [row(run.RATE, "tsm", 4e-3, "resnet_none")],
    "runs": [row(run.RANKED, "tsm", 4e-3, "resnet_none")],
  }
  report["causes"] = [report["runs"][0] | {"purpose": run.CAUSE, "steps": 15}]
  file = tmp_path / "other.json"
  file.write_text(json.dumps(report))
  starts = tmp_path / "other" / "starts"
  ended = starts / "resnet_none"
  trained_once.take_over(ended, report["starts"][0])
  (ended / "model.safetensors").write_bytes(b"weights")
  (starts / "blvnet").mkdir()
  (starts / "blvnet" / "job.json").write_text("{}")  # It has begun only.
  (starts / "resnet_none.log").write_text("of the training")
  return file, starts


def test_another_machine_goes_on(other_league, tmp_path):
  file, starts = other_league
  work = tmp_path / "work"
  work.mkdir()
  report = resume.read(file)
  resume.note_starts(work, report["starts"])
  resume.take_over(work, report)
  parts = ("starts", "sweep", "runs", "causes")
  jobs = [resume.job_of(report[name][0]) for name in parts]
  known = [run.figures(work, job) is not None for job in jobs]
  assert known == [False, True, True, True]  # Its weights are not there yet.
  for _ in range(2):
    resume.copy_starts(work, starts)
  assert run.run(work, jobs[0]) == report["starts"][0]
  copied = [path.name for path in (work / run.START).iterdir()]
  assert copied == ["resnet_none"]
  resume.check_starts(work, report["starts"])


def test_other_starts_than_those_of_the_trainings_are_refused(other_league, tmp_path):
  file, starts = other_league
  report, work = resume.read(file), tmp_path / "work"
  work.mkdir()
  resume.note_starts(work, report["starts"])
  own = [report["starts"][0] | {"top1": 0.4}]
  message = (
    r"top-1 50\.0%, and there is one with 40\.0%\. Remove .*resnet_none, .*--starts"
  )
  for check in (resume.check_starts, resume.note_starts):
    with pytest.raises(ValueError, match=message):
      check(work, own)
  # The message's way out: the folder that was trained here gives way.
  own_place = resume.job_of(own[0]).place(work)
  trained_once.take_over(own_place, own[0])
  with pytest.raises(ValueError, match=r"is another network than .*: remove it"):
    resume.copy_starts(work, starts)
  shutil.rmtree(own_place)
  resume.copy_starts(work, starts)
  resume.check_starts(work, [trained_once.figures(own_place)])


def test_a_folder_without_starts_is_refused(tmp_path, capsys):
  empty, work = tmp_path / "empty", tmp_path / "work"
  empty.mkdir()
  with pytest.raises(SystemExit):
    league.main(["--work", str(work), "--starts", str(empty)])
  assert "has no networks that a league has trained" in capsys.readouterr().err
  assert not work.exists()


def test_a_file_without_causes_is_taken(other_league):
  report = json.loads(other_league[0].read_text())
  del report["causes"]
  other_league[0].write_text(json.dumps(report))
  assert resume.read(other_league[0]) == report | {"causes": []}


@pytest.mark.parametrize("figure", ["pair_top1", "network"])
def test_a_file_without_a_figure_is_refused(other_league, figure):
  report = json.loads(other_league[0].read_text())
  del report["runs"][0][figure]
  other_league[0].write_text(json.dumps(report))
  with pytest.raises(
    ValueError, match=rf"no JSON file of a league: KeyError.'{figure}'"
  ):
    resume.read(other_league[0])


def test_a_league_with_other_settings_is_not_taken_over(other_league, tmp_path, capsys):
  with pytest.raises(SystemExit):
    league.main(["--work", str(tmp_path / "work"), "--resume", str(other_league[0])])
  assert "other.json has trainings with {'steps': 10" in capsys.readouterr().err
  assert not (tmp_path / "work").exists()
