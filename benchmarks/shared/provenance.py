"""Date, commit, command and machine of measured figures."""

import datetime
import os
import pathlib
import shlex
import subprocess
import sys

# Environment variables that decide how fast XLA is.
ENVIRONMENT = ("XLA_FLAGS", "GLIBC_TUNABLES")

_ROOT = pathlib.Path(__file__).parents[2]


def describe() -> dict[str, str]:
  """Returns date, commit and command of this process.

  The commit ends in "+" where tracked files differ from it, and is "unknown"
  outside of a clone.
  """
  now = datetime.datetime.now(datetime.UTC)
  return {
    "date": now.strftime("%Y-%m-%d"),
    "commit": _commit(),
    "command": _command(),
  }


def _commit() -> str:
  commit = _git("rev-parse", "--short=9", "HEAD")
  if commit is None:
    return "unknown"
  return commit + ("+" if _git("status", "--porcelain", "-uno") else "")


def _git(*words: str) -> str | None:
  try:
    done = subprocess.run(
      ["git", *words], cwd=_ROOT, capture_output=True, text=True, check=True
    )
  except (OSError, subprocess.CalledProcessError):
    return None
  return done.stdout.strip()


def _command() -> str:
  """Returns the command with the variables that decide how fast XLA is."""
  spec = sys.modules["__main__"].__spec__
  program = ["-m", spec.name] if spec else [sys.argv[0]]
  settings = [
    f"{name}={shlex.quote(os.environ[name])}"
    for name in ENVIRONMENT
    if os.environ.get(name)
  ]
  return " ".join([*settings, shlex.join(["python", *program, *sys.argv[1:]])])
