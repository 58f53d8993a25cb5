"""configs/finetune.py takes what it does not say from the weights."""

import json

import jax
import numpy as np
import pytest
import safetensors.numpy

import convert_weights
import temporal_jax
from convert_weights import __main__ as convert_command
from temporal_jax import experiment, inference, train, training
from temporal_jax.configs import finetune

_RESNET = {"width": 4, "stage_sizes": [1, 1]}
_VIT = {"width": 32, "depth": 2, "num_heads": 2, "image_size": 32}


@pytest.fixture(autouse=True)
def _standard_promotion():
  with jax.numpy_dtype_promotion("standard"):
    yield


def _convert(folder, name, sizes, source, image, settings=()):
  """Converts drawn weights of an image network, as a user would."""
  clip = jax.ShapeDtypeStruct((1, 2, 32, 32, 3), np.float32)
  source_classes = None if source == "openai_clip" else 9
  network = temporal_jax.create_model(image, num_classes=source_classes, **sizes)
  shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  rng = np.random.default_rng(0)
  variables = jax.tree.map(
    lambda x: 0.1 * rng.random(x.shape, np.float32) + 0.05, shapes
  )
  tensors = convert_weights.to_torch(image, variables, source=source, **sizes)
  safetensors.numpy.save_file(tensors, folder / f"{image}.safetensors")
  pairs = [f"--set={key}={value}" for key, value in sizes.items()]
  convert_command.main(
    [name, str(folder / f"{image}.safetensors"), str(folder / name)]
    + [*pairs, *settings, "--num-classes=9"]
  )
  return folder / name


def _config(root, init_from="", **changes):
  config = finetune.get_config()
  config.data.root, config.init_from = str(root), str(init_from)
  config.num_steps, config.optim.warmup_steps, config.batch_size = 2, 0, 8
  config.data.num_threads, config.data.test_fraction = 2, 0.34
  config.update_from_flattened_dict(changes)
  return config


def _train(workdir, *args, capsys, **changes):
  capsys.readouterr()
  config = _config(*args, **changes)
  train.run(config, workdir, training.StopRequest())
  return (
    capsys.readouterr().out,
    json.loads((workdir / "model.json").read_text()),
    json.loads((workdir / "config.json").read_text()),
  )


@pytest.mark.slow
def test_converted_clip_with_its_own_name(video_folder, tmp_path, capsys):
  """README's `models/atm` with `--config.model.name=atm_vit_b16`."""
  weights = _convert(
    tmp_path,
    "atm_vit_b16",
    _VIT,
    "openai_clip",
    "vit_b16",
    settings=["--set=num_frames=4"],
  )
  changes = {"model.name": "atm_vit_b16"}
  out, saved, config = _train(
    tmp_path / "run", video_folder, weights, capsys=capsys, **changes
  )
  assert saved["model"] == "atm_vit_b16"
  assert saved["clip_shape"] == [4, 32, 32, 3]
  assert saved["pixels"] == {
    part: list(getattr(temporal_jax.models.find_model("vit_b16"), part))
    for part in ("mean", "std")
  }
  assert config["data"]["short_side"] == 37  # 32 * 8 / 7.
  new = json.loads((weights / "model.json").read_text())["report"]["new"]
  untrained = [name for name in new if "/head/" not in name]
  assert untrained
  assert f"never trained before: {len(untrained)} leaves" in out
  assert "new: nothing" not in out
  # The run is used, and resumed without the weights.
  assert inference.load_model(tmp_path / "run").clip_shape == (4, 32, 32, 3)
  (weights / "model.json").rename(tmp_path / "gone.json")
  out, again, _ = _train(
    tmp_path / "run", video_folder, weights, capsys=capsys, **changes
  )
  assert "start: resumed" in out
  assert "config changed" not in out
  assert again == saved


@pytest.mark.slow
def test_converted_resnet(video_folder, tmp_path, capsys):
  weights = _convert(tmp_path, "resnet18", _RESNET, "torchvision", "resnet18")
  sizes = {"data.image_size": 16, "data.num_frames": 2}
  out, saved, config = _train(
    tmp_path / "run", video_folder, weights, capsys=capsys, **sizes
  )
  assert saved["overrides"] == {
    **_RESNET,
    "temporal": "default",
    "num_frames": 8,
    "image_size": 224,
  }
  assert saved["clip_shape"] == [2, 16, 16, 3]
  assert config["data"]["short_side"] == 18
  assert "new: params/head/bias, params/head/kernel; " in out
  # Another operator than the weights' is new, and counted.
  out, saved, _ = _train(
    tmp_path / "shifted",
    video_folder,
    weights,
    capsys=capsys,
    **{**sizes, "model.temporal": "aggregation"},
  )
  assert saved["overrides"]["temporal"] == "aggregation"
  assert "params/stage1_block1/branch_input/kernel" in out
  assert "new: params/head/bias, params/head/kernel, params/stage1_" in out
  # And left out where the weights have one that is not wanted.
  out, saved, _ = _train(
    tmp_path / "plain",
    video_folder,
    tmp_path / "shifted",
    capsys=capsys,
    **{"model.temporal": "none"},
  )
  assert saved["clip_shape"] == [2, 16, 16, 3]
  assert "never trained" not in out
  assert (
    "new: nothing; left out with the weights' operator: "
    "params/stage1_block1/branch_input/kernel, "
    "params/stage2_block1/branch_input/kernel."
  ) in out


def test_without_weights_it_is_the_demos_network(video_folder):
  config = experiment.complete(_config(video_folder))
  assert config.model.name == "resnet18"
  assert config.model.temporal == "aggregation"
  assert config.model.overrides.to_dict() == {"width": 16, "stem": "7x7"}
  assert (config.data.num_frames, config.data.image_size) == (8, 112)
  assert config.data.short_side == 128
  experiment.RunSettings.from_config(config)
  # A network that is named is the catalog's, not one of width 16.
  named = _config(video_folder, **{"model.name": "vit_b16"})
  named = experiment.complete(named)
  assert not named.model.overrides
  assert named.model.temporal == "default"


def test_weights_that_do_not_say_their_network_are_refused(tmp_path):
  with pytest.raises(ValueError, match=r"there is no model\.json in .*weights"):
    experiment.complete(_config(tmp_path, tmp_path / "weights"))
  (tmp_path / "model.json").write_text('{"model": "resnet18"}')
  with pytest.raises(ValueError, match=r"lacks \['overrides', 'num_classes', "):
    experiment.complete(_config(tmp_path, tmp_path))


def test_positions_that_follow_from_the_clips_are_no_arguments(tmp_path):
  """As `convert_weights --set grid=2` makes it, for clips of 2 x 2 patches."""
  description = {
    "model": "vit_b16",
    "overrides": {"grid": 2, "depth": 1, "dtype": "float32"},
    "clip_shape": [4, 32, 32, 3],
    "num_classes": 2,
    "class_names": None,
    "pixels": {"mean": [0.5] * 3, "std": [0.5] * 3},
  }
  file = tmp_path / "model.json"
  file.write_text(json.dumps(description))
  config = experiment.complete(_config(tmp_path, tmp_path))
  assert config.model.overrides.to_dict() == {"depth": 1}
  assert (config.model.image_size, config.model.dtype) == (32, "float32")
  experiment.RunSettings.from_config(config)
  file.write_text(json.dumps({**description, "clip_shape": [4, 48, 48, 3]}))
  with pytest.raises(ValueError, match="another grid than clips"):
    experiment.complete(_config(tmp_path, tmp_path))


@pytest.mark.parametrize(
  "wrong", [{"data.pixel_std": (0.0, 1.0, 1.0)}, {"data.pixel_mean": (0.5,)}]
)
def test_statistics_of_pixels_are_checked(wrong, tmp_path):
  with pytest.raises(ValueError, match=r"three numbers each, of R, G and B"):
    experiment.RunSettings.from_config(experiment.complete(_config(tmp_path, **wrong)))
