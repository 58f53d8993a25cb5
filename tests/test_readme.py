"""What the README shows runs."""

import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from temporal_jax.cli import create_parser

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(
  r"train\.py (--.*)",
  "\n".join(text for kind, text in BLOCKS if not kind).replace("\\\n", " "),
)


def test_python_runs(capsys):
  (code,) = [text for kind, text in BLOCKS if kind == "python"]
  exec(code, {})
  shown = capsys.readouterr().out
  assert "(2, 174) (2, 2048)" in shown
  assert "resnet18" in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command, tmp_path):
  """Each is given one wrong value more: that alone must be complained of."""
  command = command.replace("${temporal}", "none").replace("$temporal", "none")
  words = shlex.split(command.replace("$seed", "1"))
  words = [word for word in words if not word.startswith("--config.init_from")]
  words += [f"--workdir={tmp_path}", "--config.save_every=0"]
  done = subprocess.run(
    [sys.executable, "train.py", *words],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
  )
  assert done.returncode == 1
  said = done.stderr.strip()
  assert said == "train.py: save_every must be in [1, 2147483647], got 0."


@pytest.mark.parametrize("page", ["README.md", "docs/data.md", "docs/inference.md"])
def test_commands_of_temporal_jax_are_understood(page):
  text = (ROOT / page).read_text().replace("\\\n", " ")
  commands = re.findall(r"temporal-jax ([a-z]+ .*)", "\n".join(_unnamed(text)))
  assert commands
  for command in commands:
    create_parser().parse_args(shlex.split(command))


def _unnamed(text):
  blocks = re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)
  return [block for kind, block in blocks if not kind]
