"""Output of commands: on a terminal, and to files."""

import os
import pty
import subprocess
import sys

import pytest

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import short_name

_TRACK = """
from temporal_jax.commands.shared import output
for name in output.track("reading")(iter(["a.mp4", "b.mp4"]), 2):
  output.say(f"seen: {name}")
"""


def _read(descriptor):
  text = b""
  try:
    while part := os.read(descriptor, 4096):
      text += part
  except OSError:  # The other end is closed.
    pass
  return text.decode()


def test_lines_for_a_file_are_not_shown_on_the_terminal():
  ours, theirs = pty.openpty()
  done = subprocess.run(
    [sys.executable, "-c", _TRACK],
    stdout=subprocess.PIPE,
    stderr=theirs,
    env={**os.environ, "TERM": "xterm"},
    text=True,
    check=True,
  )
  os.close(theirs)
  shown = _read(ours)
  os.close(ours)
  assert done.stdout == "seen: a.mp4\nseen: b.mp4\n"
  assert "reading" in shown
  assert "seen" not in shown


def test_nothing_is_shown_without_a_terminal(capsys):
  assert list(output.track("reading")(iter("abc"), 3)) == ["a", "b", "c"]
  assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
  "model", ["hf://org/net", "hf://org/net@v1", "runs/net", "runs/net/", "./net"]
)
def test_a_network_is_called_by_the_last_part_of_its_place(model):
  assert short_name(model) == "net"
