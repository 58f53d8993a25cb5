"""train.py as a command: started, run, and run once for all."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="session")
def start(tmp_path_factory):
  """Starts train.py on one device; compiled steps are shared."""
  env = {
    **os.environ,
    "XLA_FLAGS": "--xla_force_host_platform_device_count=1",
    "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled")),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
  }

  def popen(workdir, *flags, config="tests/tiny_config.py"):
    return subprocess.Popen(
      [
        *(sys.executable, "train.py"),
        *(f"--config={config}", f"--workdir={workdir}"),
        *(f"--config.{flag}" for flag in flags),
      ],
      cwd=ROOT,
      env=env,
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
