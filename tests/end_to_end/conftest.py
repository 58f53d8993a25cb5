"""train.py as a command: started, run, and run once for all."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="session")
def start():
  """Starts train.py."""

  def popen(workdir, *flags, config="tests/support/tiny_config.py", devices=1, more=()):
    flags_of_xla = os.environ["XLA_FLAGS"].replace(
      "device_count=8", f"device_count={devices}"
    )
    return subprocess.Popen(
      [
        sys.executable,
        "train.py",
        f"--config={config}",
        f"--workdir={workdir}",
        *(f"--config.{flag}" for flag in flags),
        *more,
      ],
      cwd=ROOT,
      env={**os.environ, "XLA_FLAGS": flags_of_xla},
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
    )

  return popen


@pytest.fixture(scope="session")
def run(start):
  """Runs train.py to its end; returns exit status, output and errors."""

  def wait(*args, **kwargs):
    process = start(*args, **kwargs)
    out, err = process.communicate()
    return process.returncode, out, err

  return wait


@pytest.fixture(scope="session")
def whole(run, video_folder, tmp_path_factory):
  """The workdir and the output of a run that was never interrupted."""
  workdir = tmp_path_factory.mktemp("whole")
  status, out, err = run(workdir, f"data.root={video_folder}")
  assert status == 0, err
  return workdir, out
