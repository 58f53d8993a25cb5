"""train.py from the command line: whole runs, interrupted and wrong ones."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import numpy as np
import orbax.checkpoint as ocp
import pytest

ROOT = pathlib.Path(__file__).parents[1]
STEPS = 12


@pytest.fixture(scope="module")
def run(video_folder, tmp_path_factory):
  """Starts train.py on a tiny model and waits, unless told not to."""
  cache = tmp_path_factory.mktemp("compiled")
  env = {
    **os.environ,
    "XLA_FLAGS": "--xla_force_host_platform_device_count=1",
    "JAX_COMPILATION_CACHE_DIR": str(cache),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
  }
  fields = {
    "data.root": video_folder,
    "data.test_fraction": 0.34,
    "data.num_frames": 3,
    "data.image_size": 16,
    "data.short_side": 0,
    "data.num_threads": 2,
    "model.temporal": "aggregation",
    "model.overrides": "{'width': 4, 'stage_sizes': (1, 1)}",
    "optim.ema_decay": 0.9,
    "optim.warmup_steps": 2,
    "num_steps": STEPS,
    "batch_size": 4,
    "log_every": 5,
    "eval_every": 6,
    "save_every": 4,
  }

  def start(workdir, *extra, wait=True, **changed):
    values = {**fields, **{k.replace("__", "."): v for k, v in changed.items()}}
    flags = [f"--config.{name}={value}" for name, value in values.items()]
    process = subprocess.Popen(
      [
        sys.executable,
        "tests/tiny_train.py",
        "--config=tests/tiny_config.py",
        f"--workdir={workdir}",
        *[flag for flag in flags if "overrides" not in flag],
        *extra,
      ],
      cwd=ROOT,
      env=env,
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
    )
    if not wait:
      return process
    out, err = process.communicate()
    return process.returncode, out, err

  return start
