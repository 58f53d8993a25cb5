"""What the README shows runs."""

import pathlib
import re
import shlex

import pytest
from absl import flags

import train

README = (pathlib.Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)


def test_python_runs(capsys):
  (code,) = [text for kind, text in BLOCKS if kind == "python"]
  exec(code, {})
  shown = capsys.readouterr().out
  assert "(2, 174) (2, 2048)" in shown
  assert "resnet18" in shown


def _commands():
  text = "\n".join(text for kind, text in BLOCKS if not kind)
  text = text.replace("\\\n", " ")
  return re.findall(r"train\.py (--.*)", text)


@pytest.mark.parametrize("command", _commands())
def test_commands_parse(command):
  command = command.replace("${temporal}", "none").replace("$temporal", "none")
  values = flags.FlagValues()
  for name in ("config", "workdir"):
    values[name] = flags.FLAGS[name]
  left = values(["train.py", *shlex.split(command.replace("$seed", "1"))])
  assert left == ["train.py"]
  train.check(flags.FLAGS["config"].value)
