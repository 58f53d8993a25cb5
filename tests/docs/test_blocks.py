"""Blocks of README.md and docs/*.md run.

Python runs, at small sizes. Commands of `temporal-jax` and `convert_weights`
run on small files, with other arguments where `CHANGES` has them. Those of
`NOT_HERE` need a cluster, a download or minutes: they only go through their
parsers in test_block_commands.py, as do the benchmarks, whose own tests run
them.
"""

import os
import re
import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ml_collections")

import convert_weights  # noqa: E402
import temporal_jax  # noqa: E402
from convert_weights import __main__ as convert_program  # noqa: E402
from temporal_jax import cli, evaluation, inference, layers, models, ops  # noqa: E402
from temporal_jax.configs import base  # noqa: E402
from temporal_jax.saved_networks import bundled  # noqa: E402
from tests.support import (  # noqa: E402
  doc_blocks,
  run_records,
  saved_models,
  saved_video_text,
  tiny_localizer,
  tiny_predictor,
)

BLOCKS = doc_blocks.blocks()
# A small vit_b16 in place of ViT-B/16 in `ViT-B-16.pt`.
TINY = {"width": 64, "depth": 1, "num_heads": 1, "projection": 8, "grid": 2}
TINY_SETS = [f"--set={name}={value}" for name, value in TINY.items()]

# Words of a command and what stands in for them in a run.
CHANGES = (
  (r"/dev/video0", "film.mp4"),
  (r"-", "film.mp4"),
  (r"VIDEOS", "clips"),
  (r"--profile=100:110", "--profile=0:2"),
  (r"ViT-B-16\.pt|open_clip_model\.safetensors", "tiny.pt"),
)
# Networks that a command takes, where the demo's is none.
MODELS = {"zeroshot": "text", "search": "text", "stream": "causal"}
# Arguments that a run of it adds.
ADDITIONS = {
  "train": [
    "--workdir=new",  # The other commands read runs/mine.
    "--config.num_steps=2",
    "--config.batch_size=2",
    "--config.optim.warmup_steps=0",
    "--config.data.num_frames=2",
    "--config.data.image_size=16",
    "--config.data.short_side=16",
  ],
}
# Pages that tests of their own run, from the first line to the last.
TUTORIALS = ("docs/hub.md", "docs/few_clips.md")
# Text in commands that only go through their parsers.
NOT_HERE = (
  "CONFIG",  # Several devices or processes.
  "--distributed",
  "--plan",
  "serve",  # It runs until it is stopped; tests/inference/serving start it.
  "tada:",
  "tada.py:",
  "atm:resnet18_ssv1",  # tests/docs/test_paper_tables.py starts every row.
  "testset",
  "data build",
  "scores",  # tests/commands have the files of scores.
  "LIST.csv",
  "benchmark resnet50",
  "localization/",  # tests/experiment train on features.
  "data segments",  # Needs features; tests/commands have them.
  *(
    "epoch_035.pth.tar",
    "checkpoint.pyth",
    "SLOWFAST_8x8_R50.pyth",
  ),  # tests/convert_weights have such.
)


# Text in commands that take longer than the others.
SLOW = (
  *("train", "zeroshot", "search", "export", "describe", "visualize", "stream"),
  "localize",
)


RUN = [
  command
  for command in doc_blocks.all_commands()
  if command.words[0] == "temporal-jax" or "convert_weights" in command.words
  if not any(text in " ".join(command.words) for text in NOT_HERE)
  if not command.place.startswith(TUTORIALS)
]


def _run_marks(command):
  # Inspection plans the conversion to every network of the catalog.
  is_slow = command.words[1] in SLOW or command.words[2:4] == (
    "convert_weights",
    "inspect",
  )
  return [pytest.mark.slow] if is_slow else []


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
  """The files that the pages name, small."""
  root = tmp_path_factory.mktemp("workspace")
  for name, frames in (("clap", 8), ("wave", 12)):
    folder = root / "clips" / name
    folder.mkdir(parents=True)
    for i in range(1, 4):
      tiny_predictor.write_noise(folder / f"{i:03d}.mp4", frames + i, (32, 48))
  shutil.copytree(root / "clips" / "clap", root / "more")
  for name in ("pan left", "zoom in"):  # Classes of runs/demo and runs/mine.
    shutil.copytree(root / "more", root / "labelled" / name)
  words = [
    "check",
    str(root / "clips"),
    "--manifest",
    str(root / "clips.jsonl"),
    "--bad",
    str(root / "bad.txt"),
  ]
  assert cli.main(["data", *words]) == 0
  for name in ("clip", "new", "film", "lecture"):
    tiny_predictor.write_noise(root / f"{name}.mp4", 24, (32, 48))
  for name in ("demo", "mine"):
    shutil.copytree(bundled.find("camera_motion"), root / "runs" / name)
  scores = np.random.default_rng(0).dirichlet(np.ones(3), 40)
  scored = evaluation.Predictions(
    tuple(map(str, range(40))), scores.argsort(axis=1)[:, 1], scores
  )
  evaluation.save_scores(
    root / "runs" / "mine" / "scores.npz",
    scored,
    ("a", "b", "c"),
    protocol={"fusion": "softmax"},
  )
  for name in ("tam", "tsn"):
    run_records.write_run(root / "runs" / name)
  (root / "films").mkdir()
  shutil.copy(root / "film.mp4", root / "films" / "monday.mp4")
  tiny_localizer.save_detector_for(
    "camera_motion", root / "runs" / "detector", window=16, stride=4
  )
  saved = saved_video_text.make_saved()
  inference.save_model(
    root / "text", saved.variables, dict(saved_video_text.DESCRIPTION)
  )
  _save_causal(root / "causal")
  network = temporal_jax.create_model("vit_b16", num_classes=None, **TINY)
  clip = jax.ShapeDtypeStruct((1, 1, 32, 32, 3), np.float32)
  shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  rng = np.random.default_rng(0)
  variables = jax.tree.map(
    lambda leaf: rng.standard_normal(leaf.shape, np.float32), shapes
  )
  tensors = convert_weights.to_torch("vit_b16", variables, source="openai_clip", **TINY)
  torch.save({name: torch.tensor(v) for name, v in tensors.items()}, root / "tiny.pt")
  files = [str(root / "tiny.pt"), str(root / "converted")]
  convert_program.main(["vit_b16", *files, *TINY_SETS])
  return root


def _save_causal(directory):
  arguments = {"width": 8, "stage_sizes": (1,), "temporal": "causal_shift"}
  saved = saved_models.small_model(**arguments)
  description = {
    "model": "resnet18",
    "overrides": arguments,
    "num_classes": 2,
    "clip_shape": saved.clip_shape,
    "class_names": ("a", "b"),
    "pixels": saved.pixels,
  }
  inference.save_model(directory, saved.variables, description)


@pytest.fixture
def here(workspace, tmp_path, monkeypatch):
  """A folder of links to the files of the workspace, as the current one."""
  for path in workspace.iterdir():
    (tmp_path / path.name).symlink_to(path)
  monkeypatch.chdir(tmp_path)
  monkeypatch.setenv("HOME", str(tmp_path))
  return tmp_path


def _changed(command):
  """Returns the words of a command that is run."""
  words = list(command.words)
  for pattern, stand_in in CHANGES:
    words = [stand_in if re.fullmatch(pattern, word) else word for word in words]
  if "convert_weights" not in words:
    model = MODELS.get(words[1], "runs/demo")
    if "--model" in words:
      place = words.index("--model") + 1
      words[place] = re.sub("DIR|small", model, words[place])
    if words[1] == "evaluate":
      words[words.index("--data") + 1] = "labelled"
    words = [re.sub(r"^(.*=)?DIR$", r"\1clips", word) for word in words]
    words = [word.replace("models/atm", "runs/demo") for word in words]
    return words + ADDITIONS.get(words[1], [])
  if "verify" in words:
    return [*words[:-1], "converted"]
  return words + ([] if "inspect" in words else TINY_SETS)


@pytest.mark.parametrize(
  "command",
  [pytest.param(command, marks=_run_marks(command)) for command in RUN],
  ids=str,
)
def test_command_runs(command, here, capsys):
  words = _changed(command)
  if words[:2] == ["temporal-jax", "train"]:
    program = "from temporal_jax.cli import run_process as run; raise SystemExit(run())"
    (here / "configs").symlink_to(doc_blocks.ROOT / "configs")
    own = {"PYTHONPATH": str(doc_blocks.ROOT), "XLA_FLAGS": ""}  # One device,
    own["WANDB_MODE"] = "offline"  # and no account.
    environment = {**os.environ, **own}
    done = subprocess.run(
      [sys.executable, "-c", program, *words[1:]],
      env=environment,
      capture_output=True,
      text=True,
      check=False,
    )
    assert done.returncode == 0, done.stderr
    return
  with jax.numpy_dtype_promotion("standard"):  # As in a person's process.
    if words[0] == "temporal-jax":
      assert cli.main(words[1:]) == 0, capsys.readouterr()
    else:
      convert_program.main(words[3:])


# Names that a block of Python takes from the text around it.
NAMES = {
  "config": base.get_config(),
  "create_model": temporal_jax.create_model,
  "Predictor": temporal_jax.Predictor,
  "inference": inference,
  "layers": layers,
  "models": models,
  "ops": ops,
}

# Text of a block of Python, and what stands in for it in a run.
PYTHON_CHANGES = {
  '"ViT-B-16.pt"': '"tiny.pt"',
  "settings=checkpoint.settings": "settings=checkpoint.settings, **TINY",
  '"atm_vit_b16"': '"resnet18"',
}
PYTHON = [
  block
  for block in BLOCKS
  if block.kind in ("python", "py") and block.page not in TUTORIALS
]


@pytest.mark.filterwarnings("ignore:the file does not state its activation")
@pytest.mark.parametrize("block", PYTHON, ids=lambda b: f"{b.page}:{b.line}")
def test_python_runs(block, here, capsys):
  code = block.text
  for text, stand_in in PYTHON_CHANGES.items():
    code = code.replace(text, stand_in)
  names = dict(NAMES) if block.kind == "py" else {}
  names["TINY"] = TINY
  if "weights=variables" in code:
    names |= _resnet_of_three()
  with jax.numpy_dtype_promotion("standard"):
    exec(code, names)
  shown = capsys.readouterr().out
  for promised in re.findall(r"^print\(.*\)  # (.+)$", block.text, re.MULTILINE):
    assert promised in shown


def _resnet_of_three():
  """Returns variables of a ResNet-18 with three classes, and their names."""
  network = temporal_jax.create_model("resnet18", num_classes=3)
  clip = jax.ShapeDtypeStruct((1, 1, 32, 32, 3), np.float32)
  shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  variables = jax.tree.map(lambda leaf: np.ones(leaf.shape, np.float32), shapes)
  return {"variables": variables, "names": ("a", "b", "c")}
