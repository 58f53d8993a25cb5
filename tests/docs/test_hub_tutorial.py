"""docs/hub.md, from its first command to its last, with a local server."""

import json
import os
import subprocess
import sys

import jax
import pytest
import transformers

from tests.support import doc_blocks, tiny_predictor
from tests.support.hub_server import local_hub

# Arguments that make a run short.
_SHORT = (
  "--config.num_steps=3",
  "--config.batch_size=2",
  "--config.optim.warmup_steps=0",
  "--config.data.num_frames=2",
  "--config.data.image_size=32",
  "--config.data.short_side=32",
)


@pytest.fixture
def here(tmp_path, monkeypatch):
  """A folder with the page's clips; ResNet-18, of random values, on a hub."""
  place = tmp_path / "here"
  for name, frames in (("clap", 8), ("wave", 12)):
    (place / "clips" / name).mkdir(parents=True)
    for number in range(1, 4):
      video = place / "clips" / name / f"{number:03d}.mp4"
      tiny_predictor.write_noise(video, frames + number, (32, 48))
  tiny_predictor.write_noise(place / "new.mp4", 24, (32, 48))
  config = transformers.ResNetConfig(
    depths=[2, 2, 2, 2], hidden_sizes=[64, 128, 256, 512], layer_type="basic"
  )
  network = transformers.ResNetForImageClassification(config)
  network.save_pretrained(tmp_path / "resnet-18")
  files = {p.name: p.read_bytes() for p in (tmp_path / "resnet-18").iterdir()}
  monkeypatch.chdir(place)
  with local_hub(tmp_path, monkeypatch) as server:
    server.add("microsoft/resnet-18", files)
    yield place


def _run(words):
  if words[:2] == ("temporal-jax", "train"):
    words = (*words, *_SHORT)
  program = "from temporal_jax.cli import run_process as run; raise SystemExit(run())"
  own = {"PYTHONPATH": str(doc_blocks.ROOT), "XLA_FLAGS": ""}  # One device.
  done = subprocess.run(
    [sys.executable, "-c", program, *words[1:]],
    env={**os.environ, **own},
    capture_output=True,
    text=True,
    check=False,
  )
  assert done.returncode == 0, (words, done.stderr)
  return done.stdout


# The client's own call of its HTTP library.
@pytest.mark.filterwarnings("ignore:Use .content=:DeprecationWarning")
@pytest.mark.slow
def test_the_page_runs_from_its_first_line_to_its_last(here):
  names = {}
  outputs = []
  for block in doc_blocks.blocks():
    if block.page != "docs/hub.md":
      continue
    if block.kind == "py":
      with jax.numpy_dtype_promotion("standard"):
        exec(block.text, names)
      continue
    for command in doc_blocks.commands(block):
      if command.words[0] != "pip":
        outputs.append((command.words, _run(command.words)))
  listed, trained, *_ = (output for _, output in outputs)
  assert "hf://microsoft/resnet-18" in listed
  assert "branch_input" in trained  # The operator is new.
  description = json.loads((here / "runs/moves/model.json").read_text())
  assert description["source"]["address"].startswith("hf://microsoft/resnet-18@")
  assert description["class_names"] == ["clap", "wave"]
  report = json.loads((here / "runs/moves/init_from/model.json").read_text())
  assert report["source"]["name"] == "huggingface_resnet"
  again = json.loads((here / "runs/next/model.json").read_text())
  assert again["source"]["address"].startswith("hf://me/moves@")
  assert again["overrides"]["temporal"] == "aggregation"
  predicted = [out for words, out in outputs if words[1] == "predict"]
  assert len(predicted) == 2
  assert predicted[0] == predicted[1]
  assert names["model"].name == "resnet18"
  assert names["variables"]["params"]["head"]["kernel"].shape[-1] == 2
