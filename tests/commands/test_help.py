import importlib
import os
import pathlib
import subprocess
import sys

import pytest

from temporal_jax.cli import COMMANDS, create_parser, main

ROOT = pathlib.Path(__file__).parents[2]
_HELP = """
import sys
class Blocker:
  def find_spec(self, name, path=None, target=None):
    if name.split(".")[0] in ("jax", "numpy", "av", "rich", "matplotlib"):
      raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocker())
from temporal_jax.cli import main
for words in ([], *([name] for name in sys.argv[1:])):
  try:
    main([*words, "--help"])
  except SystemExit as end:
    assert not end.code, words
"""


def test_help_needs_nothing_but_python():
  done = subprocess.run(
    [sys.executable, "-c", _HELP, *COMMANDS],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
  )
  for name in COMMANDS:
    assert f"usage: temporal-jax {name}" in done.stdout
  files = {p.stem for p in (ROOT / "temporal_jax" / "commands").glob("*.py")}
  assert set(COMMANDS) == files - {"__init__"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_parts(name):
  module = importlib.import_module(f"temporal_jax.commands.{name}")
  assert isinstance(module.COMPUTES, bool)
  assert callable(module.add_arguments)
  assert callable(module.run)


def test_every_command_has_a_test():
  tests = {p.stem for p in pathlib.Path(__file__).parent.glob("test_*.py")}
  # `describe` is tested with `models`, which lists what it describes, and
  # `train` in tests/end_to_end.
  others = {"test_describe", "test_train"}
  assert {f"test_{name}" for name in COMMANDS} - tests == others


@pytest.mark.parametrize(
  ("words", "message"),
  [
    ([], "required: COMMAND"),
    (["fly"], "unknown COMMAND 'fly'. Known: ['benchmark', "),
    (["--traceback", "predct", "a"], "'predct'; did you mean 'predict'? Known: ["),
    (["convert", "a"], "'convert' is no COMMAND: `python -m convert_weights`"),
  ],
)
def test_what_is_no_command_is_refused(words, message, capsys):
  with pytest.raises(SystemExit, match="2"):
    main(words)
  assert message in capsys.readouterr().err


def test_a_traceback_is_shown_where_it_is_asked_for(tmp_path, capsys):
  words = ["describe", str(tmp_path / "nowhere")]
  assert main(words) == 2
  assert "Traceback" not in capsys.readouterr().err
  with pytest.raises((OSError, ValueError)):
    main(["--traceback", *words])


def test_an_error_that_is_not_expected_says_so(monkeypatch, capsys):
  def fail(options):
    raise TypeError("no such thing")

  monkeypatch.setattr("temporal_jax.commands.models.run", fail)
  assert main(["models"]) == 2
  assert capsys.readouterr().err == (
    "temporal-jax models: TypeError: no such thing\n"
    "This program does not expect a TypeError here: it may be at fault. "
    "temporal-jax --traceback models ... shows where it comes from.\n"
  )


def test_a_reader_that_leaves_is_no_error():
  reading, writing = os.pipe()
  os.close(reading)
  command = [sys.executable, "-m", "temporal_jax", "configs"]
  with open(writing, "w") as out:
    done = subprocess.run(
      command, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, check=False
    )
  assert (done.returncode, done.stderr) == (141, b"")


def _arguments(parser):
  for action in parser._actions:
    if isinstance(action.choices, dict):
      for command in action.choices.values():
        yield from _arguments(command)
    else:
      yield action


def test_paths_begin_at_home_after_a_tilde(monkeypatch):
  monkeypatch.setenv("HOME", "/home/mine")
  given = [action for action in _arguments(create_parser()) if action.type]
  assert pathlib.Path not in {action.type for action in given}
  found = [action.type("~/a") for action in given if action.type not in (int, float)]
  assert len(found) > 30
  assert set(found) == {pathlib.Path("/home/mine/a")}
