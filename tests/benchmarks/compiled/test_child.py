"""Children compile, are ended early, and report why they failed."""

import json
import pathlib
import subprocess
import sys
import textwrap

import pytest

ROOT = pathlib.Path(__file__).parents[3]

# Jobs whose compiler writes a text by itself, as XLA would, and goes on.
SCRIPT = """
import json, os, pathlib, re, sys, time
from benchmarks.compiled.child import Job, compile_all

TEXT = "HloModule f\\n\\nENTRY %m (x: f32[8]) -> f32[8] {\\n}\\n"


class Lowered:
  def __init__(self, text, report=""):
    self.text, self.report = text, report

  def compile(self):
    flags = os.environ["XLA_FLAGS"]
    folder = pathlib.Path(re.search("--xla_dump_to=([^ ]+)", flags)[1])
    (folder / "f.memory-usage-report.txt").write_text(self.report)
    (folder / "f.program.txt").write_text(self.text)
    time.sleep(600)


def job(name, lower):
  return Job({"name": name}, lower, "*.program.txt", {"SET": "yes"})


def refuse():
  raise ValueError("no such thing")


jobs = [
  job("fails", refuse),
  job("dies", lambda: os._exit(7)),
  job("works", lambda: (Lowered(TEXT, "report"), {"set": os.environ["SET"]})),
  job("hangs", lambda: (Lowered(TEXT[:-3]), {})),
]
for outcome in compile_all(jobs, processes=2, limit=2.0):
  print(json.dumps([outcome.job.row["name"], outcome.error, outcome.text,
                    outcome.memory_report, outcome.facts]))
"""


@pytest.fixture(scope="module")
def outcomes():
  done = subprocess.run(
    [sys.executable, "-c", textwrap.dedent(SCRIPT)],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
    timeout=60,
  )
  rows = map(json.loads, done.stdout.splitlines())
  return {name: tuple(rest) for name, *rest in rows}


def test_a_child_is_ended_once_the_text_is_there(outcomes):
  error, text, report, facts = outcomes["works"]
  assert error == ""
  assert "ENTRY" in text
  assert report == "report"
  assert facts == {"set": "yes"}


@pytest.mark.parametrize(
  ("name", "words"),
  [
    ("fails", "ValueError: no such thing"),
    ("dies", "the process ended with 7"),
    ("hangs", "not compiled within 2 seconds"),
  ],
)
def test_a_failure_is_reported_and_the_rest_goes_on(outcomes, name, words):
  error, text, _, facts = outcomes[name]
  assert words in error
  assert text == ""
  assert facts == {}
