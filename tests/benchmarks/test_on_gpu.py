"""The measurement of a GPU: its parts, their limits, and the page."""

import json
import sys
import time

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from benchmarks import on_gpu  # noqa: E402
from benchmarks.shared import limited_processes  # noqa: E402
from docs import gpu_tables  # noqa: E402


def _jobs(folder, *programs):
  return [
    limited_processes.Job(
      words=(sys.executable, "-c", program),
      settings={"NUMBER": str(number)},
      output=folder / f"{number}.txt",
    )
    for number, program in enumerate(programs)
  ]


def test_commands_run_at_the_same_time_and_end(tmp_path):
  jobs = _jobs(
    tmp_path,
    "import os; print(os.environ['NUMBER'], os.environ['SHARED'])",
    "raise SystemExit(3)",
  )
  shared = {"SHARED": "all"}
  ended = limited_processes.run(jobs, 60, folder=tmp_path, environment=shared)
  assert [end.status for end in ended] == ["ok", "failed"]
  assert (tmp_path / "0.txt").read_text() == "0 all\n"


def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path):
  child = f"import time, pathlib; time.sleep(1); open({str(tmp_path / 'late')!r}, 'w')"
  program = (
    f"import subprocess, sys; print('begun', flush=True);"
    f"subprocess.run([sys.executable, '-c', {child!r}])"
  )
  start = time.monotonic()
  (ended,) = limited_processes.run(
    _jobs(tmp_path, program), 0.5, folder=tmp_path, environment={}
  )
  assert ended.status == "stopped"
  assert time.monotonic() - start < 1.4
  assert (tmp_path / "0.txt").read_text() == "begun\n"
  time.sleep(1)
  assert not (tmp_path / "late").exists()


def _small_stages(monkeypatch, tmp_path):
  """Tiny modules as parts: one fails, and one takes too long."""
  modules = {
    "fails": "file.write_text('{\"rows\": [{}]}'); raise SystemExit('no kernel')",
    "hangs": "file.write_text('{\"ro'); time.sleep(60)",
    "measures": 'file.write_text(\'{"machine": {"platform": "gpu"}}\')',
  }
  for name, body in modules.items():
    (tmp_path / f"{name}.py").write_text(
      "import pathlib, sys, time\nfile = pathlib.Path(sys.argv[-1])\n" + body
    )
  monkeypatch.setenv("PYTHONPATH", str(tmp_path))
  parts = [on_gpu.Part(name, seconds=2, module=name) for name in modules]
  monkeypatch.setattr(on_gpu, "STAGES", ((parts[0],), (parts[1],), (parts[2],)))
  monkeypatch.setattr(on_gpu, "_NAMES", tuple(modules))


def test_other_parts_go_on_when_one_fails(monkeypatch, tmp_path, capsys):
  _small_stages(monkeypatch, tmp_path)
  file = tmp_path / "report.json"
  words = ["--json", str(file), "--seconds", "4", "--commit", "abc"]
  words += ["--parts", "fails", "hangs", "measures"]
  assert on_gpu.main(words) == 1
  report = json.loads(file.read_text())
  assert report["measured"]["commit"] == "abc"
  assert report["machine"] == {"platform": "gpu"}
  first, second, third = report["parts"]
  assert [p["status"] for p in report["parts"]] == ["failed", "stopped", "ok"]
  assert first["report"] == {"rows": [{}]}
  assert "no kernel" in first["output"]
  assert second["report"] == {}  # Half a file is none.
  # What the first left, the others have.
  assert first["limit"] < second["limit"] < 4
  assert third["output"] == ""
  assert "hangs: stopped" in capsys.readouterr().out


def test_shares_of_the_time_are_all_of_it():
  assert sum(stage[0].seconds for stage in on_gpu.STAGES) == on_gpu._SECONDS < 540
  for stage in on_gpu.STAGES:
    assert len({part.seconds for part in stage}) == 1


def test_wrong_folders_are_refused(tmp_path, capsys):
  for words in (["--golden", "nowhere"], ["--wheels", str(tmp_path)]):
    with pytest.raises(SystemExit, match="2"):
      on_gpu.main(words)
    assert words[1] in capsys.readouterr().err


def test_help_names_what_to_carry(capsys):
  with pytest.raises(SystemExit, match="0"):
    on_gpu.main(["--help"])
  help_text = capsys.readouterr().out
  assert "pip download" in help_text
  for stage in on_gpu.STAGES:
    for part in stage:
      assert f"{part.name}: {part.module}" in help_text


def test_a_cpu_is_refused(monkeypatch, tmp_path, capsys):
  _small_stages(monkeypatch, tmp_path)
  (tmp_path / "measures.py").write_text(
    "import pathlib, sys\n"
    'pathlib.Path(sys.argv[-1]).write_text(\'{"machine": {"platform": "cpu"}}\')'
  )
  words = ["--json", str(tmp_path / "x.json"), "--parts", "measures"]
  assert on_gpu.main(words) == 1
  assert "jax sees no GPU, only cpu" in capsys.readouterr().out


@pytest.mark.slow  # Ten processes, most of which compile.
def test_dry_run_goes_through_all_parts(tmp_path):
  file = tmp_path / "report.json"
  assert on_gpu.main(["--dry-run", "--json", str(file)]) == 0
  report = json.loads(file.read_text())
  assert report["dry"]
  assert report["machine"]["platform"] == "cpu"
  assert [p["name"] for p in report["parts"]] == list(on_gpu._NAMES)
  found = dict(row[:1] + row[3:] for row in [*gpu_tables.parts(file)][1:])
  assert found["golden figures, float32"] == "3 ok"
  assert "with remat" in found["memory"]
  rows = {row[0]: row[1:] for row in gpu_tables.speed(file)}
  operator = "difference cues, ATM ViT-B/16, with gradients"
  for name in ("`resnet18`", "`resnet18`, training step", operator):
    assert all(rows[name][:-1])  # All but the share of an unknown peak.


def test_the_page_says_that_nothing_was_measured(tmp_path):
  for rows in (gpu_tables.parts, gpu_tables.speed):
    head, line = rows(tmp_path / "none.json")
    assert len(head) == len(line) == 1
    assert "measured" in line[0]


def _part(name, rows, status="ok"):
  report = {"steps" if "step" in name else "rows": rows}
  return {"name": name, "status": status, "seconds": 9.6, "report": report}


def test_the_page_has_what_was_measured(tmp_path):
  def times(theirs):
    return {"ours": 2.0, "theirs": theirs, "ratio": theirs / 2}

  def network(theirs):
    return {
      "name": "vit_b16",
      "inference": times(9.0),
      "folded": times(theirs),
      "share_of_peak": 0.456,
    }

  operator = {
    "name": "shift",
    "forward": times(3.0),
    "forward_backward": times(8.0),
    "share_of_peak": {"forward": 0.9, "forward_backward": None},
  }
  step = {"name": "vit_l14", "step": times(5.0), "flops_utilization": 0.5}
  case = {"name": "tam", "verdict": "FAIL"}
  parts = [
    _part("chip", [{"name": "copy", "measured": 4000.4, "stated": 4800.0}]),
    _part("golden figures, float32", [case, {"name": "x", "verdict": "ok"}]),
    _part("operators, eager torch", [operator, {"name": "bad", "error": "no"}]),
    _part("networks, eager torch", [network(4.0)]),
    _part("networks, compiled torch", [network(3.0)], "stopped"),
    _part("training step, compiled torch", [step]),
  ]
  file = tmp_path / "on_gpu.json"
  file.write_text(json.dumps({"machine": {"device": "H200"}, "parts": parts}))
  head, *rows = gpu_tables.parts(file)
  assert head[0] == "H200"
  assert [row[3] for row in rows] == [
    "copy: 4000 of 4800",
    "1 FAIL, 1 ok: tam",
    "1 measured, failed: bad",
    "1 measured",
    "1 measured",
    "1 measured",
  ]
  assert rows[4][1:3] == ("stopped", "10")
  head, *rows = gpu_tables.speed(file)
  assert rows == [
    ("shift", "2.000", "3.000", "1.50", "", "", "90%"),
    ("shift, with gradients", "2.000", "8.000", "4.00", "", "", ""),
    ("`vit_b16`", "2.000", "4.000", "2.00", "3.000", "1.50", "46%"),
    ("`vit_l14`, training step", "2.000", "", "", "5.000", "2.50", "50%"),
  ]
  assert all(len(row) == len(head) for row in rows)
