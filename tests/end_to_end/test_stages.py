"""train.py with stages: longer clips start from the weights of shorter ones."""

import json

import pytest

_CONFIG = """
from tests.support import tiny_config

def get_config():
  config = tiny_config.get_config()
  config.num_steps = 2
  config.stages = ({}, {"data.num_frames": 5, "optim.lr": 1e-4})
  return config
"""


@pytest.mark.slow
def test_a_stage_starts_from_the_one_before(run, video_folder, tmp_path):
  config = tmp_path / "config.py"
  config.write_text(_CONFIG)
  flags = (f"data.root={video_folder}", "optim.warmup_steps=0")
  workdir = tmp_path / "run"
  status, out, err = run(workdir, *flags, config=config)
  assert status == 0, err
  starts = [line for line in out.splitlines() if line.startswith("start: ")]
  assert starts[0] == "start: from scratch."
  assert starts[1] == f"start: weights of {workdir}/stage_1; new: nothing."
  written = [
    json.loads((workdir / f"stage_{i}" / "config.json").read_text()) for i in (1, 2)
  ]
  assert [config["data"]["num_frames"] for config in written] == [3, 5]
  status, out, err = run(workdir, *flags, config=config)  # Once more.
  assert status == 0, err
  assert out.count("nothing is left to train") == 2
