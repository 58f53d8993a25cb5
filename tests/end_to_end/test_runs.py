"""train.py from the command line: whole runs, and wrong ones."""

import json
import pathlib
import re
import shutil

import jax
import numpy as np
import pytest
import safetensors.numpy

import convert_weights
import temporal_jax
from convert_weights import __main__ as convert_command
from temporal_jax import experiment, train, training
from temporal_jax.experiment.network import create_network
from tests.support import tiny_config

WRITTEN = {
  "calibration.png",
  "checkpoints",
  "config.json",
  "confusion.png",
  "curves.png",
  "metrics.jsonl",
  "model.json",
  "predictions.png",
  "report.json",
  "scores.npz",
  "tensorboard",
  "timing.jsonl",
}


def test_a_run_leaves_what_the_readme_says(whole):
  workdir, out = whole
  assert {path.name for path in workdir.iterdir()} == WRITTEN
  assert "start: from scratch.\ncompiling the training step ...\n" in out
  assert "step 12/12" in out
  rows = training.read_rows(workdir / "metrics.jsonl")
  assert [row["step"] for row in rows] == [5, 6, 10, 12, 12]
  assert {"loss", "accuracy", "learning_rate", "grad_norm"} <= rows[0].keys()
  assert "test/top1" in rows[1]
  report = json.loads((workdir / "report.json").read_text())
  assert report["top1"] == rows[-2]["test/top1"] == rows[-1]["final/top1"]
  assert report["clips_listed"] == report["clips_scored"] == 4
  assert f"top-1 {report['top1']:.1%}" in out
  assert str(workdir / "report.json") in out
  config = json.loads((workdir / "config.json").read_text())
  assert config["model"]["temporal"] == "aggregation"


def test_non_finite_loss_names_step_and_checkpoint(run, video_folder, tmp_path):
  status, _, err = run(
    tmp_path,
    f"data.root={video_folder}",
    "optim.lr=1e38",
    "optim.name=sgd",
    "optim.clip_norm=0.0",
    "save_every=1",
    "optim.warmup_steps=6",
  )
  assert status == 1
  assert "not finite at step" in err
  good = re.search(r"last good checkpoint is (\S+)\.", err).group(1)
  state = training.read_state(tmp_path)
  assert pathlib.Path(good).name == str(int(state["step"]))
  for leaf in jax.tree.leaves(state["params"]):
    assert np.all(np.isfinite(leaf))
  assert "Traceback" not in err


@pytest.mark.parametrize(
  ("flag", "expected", "message"),
  [
    ("data.roof=x", 2, "config.data has no field 'roof'; did you mean 'root'?"),
    ("num_steps=many", 2, "--config.num_steps must be a whole number, got 'many'."),
    ("data.on_error=ignore", 1, "on_error must be one of ['raise', 'skip', 'mask']"),
  ],
)
def test_wrong_flag_fails_in_one_line(
  run, video_folder, tmp_path, flag, expected, message
):
  status, _, err = run(tmp_path, f"data.root={video_folder}", flag)
  assert status == expected
  assert message in err
  assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
  ("field", "value", "message"),
  [
    ("data.sampling", "often", "unknown sampling 'often'"),
    ("model.name", "resnet19", "did you mean 'resnet"),
    ("model.temporal", "agregation", "did you mean 'aggregation'"),
    ("optim.name", "adam", r"optimizer must be one of \['adamw', 'sgd'\]"),
    ("optim.warmup_steps", 99, "has 99 steps, the run only"),
    ("num_steps", 0, "num_steps or num_epochs"),
    ("optim.accumulate", 2, "must divide the 1 clips of a device, got 2"),
    ("save_every", 0, r"save_every must be in \[1, 2147483647\], got 0"),
    ("batch_size", 0, r"batch_size must be in \[1, 131072\], got 0"),
    ("mesh.data", 3, "does not fit 8 devices"),
    ("data.short_side", 8, "at most short_side 8"),
  ],
)
def test_wrong_value_says_what_is_allowed(field, value, message):
  config = tiny_config.get_config()
  config.batch_size = 8
  experiment.RunSettings.from_config(config)
  with config.unlocked():
    config.update_from_flattened_dict({field: value})
  with pytest.raises(ValueError, match=message):
    experiment.RunSettings.from_config(config)


@pytest.mark.parametrize(
  ("folder", "fraction", "message"),
  [
    ("train", 0.2, "no video is left for the test. Videos need a split called"),
    ("", 0.0, "no video is left for the test"),
    ("val", 0.2, r"no training video; its splits \['val'\]"),
  ],
)
def test_a_run_without_a_test_is_refused_before_it_starts(
  video_folder, tmp_path, folder, fraction, message
):
  root, workdir = tmp_path / "videos", tmp_path / "run"
  shutil.copytree(video_folder, root / folder)
  config = tiny_config.get_config()
  config.batch_size = 8
  config.data.root, config.data.test_fraction = str(root), fraction
  with pytest.raises(ValueError, match=message):
    train.run(config, workdir, training.StopRequest())
  assert not workdir.exists()


def test_positions_are_made_for_the_clips_unless_told_otherwise():
  config = tiny_config.get_config()
  config.model.name = "vit_b32_joint"
  config.model.temporal = "default"
  config.model.overrides = {}
  config.data.image_size = 64
  model = create_network(config, 2)
  assert (model.num_temporal_positions, model.grid) == (3, 2)
  config.model.num_frames, config.model.image_size = 8, 224
  model = create_network(config, 2)
  assert (model.num_temporal_positions, model.grid) == (8, 7)
  config.model.image_size = 100
  config.batch_size = 8
  with pytest.raises(ValueError, match="multiple of the 32 pixels"):
    experiment.RunSettings.from_config(config)


@pytest.mark.slow
def test_bad_videos_are_named_counted_and_reported(run, video_folder, tmp_path):
  root = shutil.copytree(video_folder, tmp_path / "videos")
  rows = ["path,label,split"]
  for i, path in enumerate(sorted(root.glob("*/*"))):
    rows.append(f"{path},{path.parent.name},{'test' if i % 3 else 'train'}")
  (root / "empty.mp4").touch()
  rows += [f"{root}/empty.mp4,rise,test", f"{root}/gone.mp4,fall,train"]
  listing = root / "list.csv"
  listing.write_text("\n".join(rows))
  for policy in ("skip", "mask"):
    workdir = tmp_path / policy
    flags = (f"data.root={listing}", f"data.on_error={policy}")
    status, out, err = run(workdir, *flags)
    assert status == 0, err
    assert "gone.mp4: the file does not exist" in err
    report = json.loads((workdir / "report.json").read_text())
    assert report["clips_listed"] == 9
    assert report["clips_decoded"] == report["clips_scored"] == 8
    assert list(report["bad_videos"]) == [f"{root}/empty.mp4"]
    assert "8 decoded, 9 listed" in out
  status, _, err = run(tmp_path / "raise", f"data.root={listing}")
  assert status == 1
  assert re.search(r"cannot read .*(empty|gone)\.mp4", err)
  assert "Traceback" not in err


def test_starts_from_the_weights_of_another_run(run, whole, video_folder, tmp_path):
  shutil.copytree(video_folder / "rise", tmp_path / "videos" / "rise")
  shutil.copytree(video_folder / "fall", tmp_path / "videos" / "fall")
  shutil.copytree(video_folder / "fall", tmp_path / "videos" / "third")
  status, out, err = run(
    tmp_path / "run",
    f"data.root={tmp_path / 'videos'}",
    f"init_from={whole[0]}",
  )
  assert status == 0, err
  assert (
    "new: params/head/bias in part, params/head/kernel in part; head: 2 of 3 "
    "classes by name, 1 start anew: ['third']."
  ) in out


@pytest.mark.slow
def test_starts_from_converted_weights(run, video_folder, tmp_path):
  model = {"width": 4, "stage_sizes": [1, 1]}
  clip = jax.ShapeDtypeStruct((1, 3, 16, 16, 3), np.float32)
  network = temporal_jax.create_model("resnet18", num_classes=9, **model)
  shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  variables = jax.tree.map(lambda x: np.ones(x.shape, x.dtype), shapes)
  tensors = convert_weights.to_torch(
    "resnet18", variables, source="torchvision", **model
  )
  safetensors.numpy.save_file(tensors, tmp_path / "image.safetensors")
  settings = [f"--set={key}={value}" for key, value in model.items()]
  names = [str(tmp_path / name) for name in ("image.safetensors", "model")]
  convert_command.main(["resnet18", *names, *settings])
  status, out, err = run(
    tmp_path / "run",
    f"data.root={video_folder}",
    "model.temporal=none",
    f"init_from={names[1]}",
  )
  assert status == 0, err
  assert (
    "new: params/head/bias, params/head/kernel; head: the weights have 9 "
    "classes without names: all 2 classes start anew."
  ) in out
