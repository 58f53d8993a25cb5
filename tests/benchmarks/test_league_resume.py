import json

import pytest

from benchmarks import league
from benchmarks.league_parts import resume, run


@pytest.fixture
def other_league(tmp_path):
  """A league's JSON file and its folder of starts."""

  def row(purpose, entry, lr, start):
    job = run.Job("something_moves", entry, lr, 0, 5, purpose, start)
    return {**job.description(), "top1": 0.5, "pair_top1": 0.8, "training_loss": 2.0}

  report = {
    "settings": league.Settings(10, 5, True)._asdict(),
    "starts": [row(run.START, "resnet_none", 4e-3, "")],
    "sweep": [row(run.RATE, "tsm", 4e-3, "resnet_none")],
    "runs": [row(run.RANKED, "tsm", 4e-3, "resnet_none")],
  }
  file = tmp_path / "other.json"
  file.write_text(json.dumps(report))
  network = tmp_path / "other" / "starts" / "resnet_none"
  network.mkdir(parents=True)
  (network / "model.safetensors").write_bytes(b"weights")
  begun = network.with_name("blvnet")
  begun.mkdir()
  (begun / "model.json").write_text("{}")
  (network.parent / "resnet_none.log").write_text("of the training")
  return file, network.parent


def test_another_machine_goes_on(other_league, tmp_path):
  file, starts = other_league
  work = tmp_path / "work"
  report = resume.read(file)
  resume.take_over(work, report)
  jobs = [resume.job_of(report[name][0]) for name in ("starts", "sweep", "runs")]
  known = [run.figures(work, job) is not None for job in jobs]
  assert known == [False, True, True]  # Its weights are not there yet.
  resume.copy_starts(work, starts)
  resume.take_over(work, report)
  assert run.run(work, jobs[0]) == report["starts"][0]
  copied = [path.name for path in (work / run.START).iterdir()]
  assert copied == ["resnet_none"]
  resume.check_starts(report, report["starts"])
  resume.check_starts(resume.NOTHING, report["starts"])


def test_starts_that_became_others_are_refused(other_league):
  report = resume.read(other_league[0])
  own = [report["starts"][0] | {"top1": 0.4}]
  with pytest.raises(SystemExit, match=r"top-1 40\.0%, not 50\.0%.*--starts"):
    resume.check_starts(report, own)


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
