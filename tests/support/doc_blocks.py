"""Blocks of code in README.md and docs/*.md, and the commands in them."""

import itertools
import pathlib
import re
import shlex
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parents[2]
PAGES = ("README.md", *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md"))))

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ENVIRONMENT = re.compile(r"^[A-Z_]+=\S*$")


class Block(NamedTuple):
  """A fenced block.

  Attributes:
    page: Its page, from the root of the repository.
    line: Line of its fence, from 1.
    kind: The word after the fence, "" for none.
    text: Text between the fences.
  """

  page: str
  line: int
  kind: str
  text: str


class Command(NamedTuple):
  """A command of a block.

  Attributes:
    place: Page and line of the block.
    words: Its words, without variables of the environment and the folder of the
      program.
  """

  place: str
  words: tuple[str, ...]

  def __str__(self) -> str:
    return f"{self.place} {shlex.join(self.words)}"


def blocks() -> list[Block]:
  """Returns all blocks of all pages."""
  found = []
  for page in PAGES:
    text = (ROOT / page).read_text()
    for match in _BLOCK.finditer(text):
      line = text.count("\n", 0, match.start()) + 1
      found.append(Block(page, line, match[1], match[2]))
  return found


def all_commands() -> list[Command]:
  """Returns the commands of all shell blocks."""
  shells = (block for block in blocks() if block.kind in ("", "sh"))
  return [command for block in shells for command in commands(block)]


def _on_this_machine(words: list[str]) -> list[str]:
  """Returns the command that a launcher of a cluster starts on each machine."""
  if words[0] == "srun":
    return words[words.index("python") :]
  if words[0] == "gcloud":
    (command,) = [w for w in words if w.startswith("--command=")]
    return shlex.split(command.removeprefix("--command="))
  return words


def _without_environment(words: list[str]) -> list[str]:
  """Leaves out the variables that a command starts with."""
  return list(itertools.dropwhile(_ENVIRONMENT.match, words))


def commands(block: Block) -> list[Command]:
  """Returns the commands of a shell block; of a pipe the last one."""
  found = []
  for line in block.text.replace("\\\n", " ").splitlines():
    words = _without_environment(shlex.split(line, comments=True))
    if "|" in words:
      words = words[words.index("|") + 1 :]
    if not words:
      continue
    words = _without_environment(_on_this_machine(words))
    words[0] = words[0].removeprefix(".venv/bin/")
    if words[:2] == ["python", "train.py"]:
      words[:2] = ["temporal-jax", "train"]
    found.append(Command(f"{block.page}:{block.line}", tuple(words)))
  return found
