"""The scripts of examples/ do what they say, at tiny sizes."""

import jax
import jax.numpy as jnp
import pytest
import safetensors.numpy

import convert_weights
import temporal_jax
from examples import (
  convert_and_predict,
  custom_operator,
  fine_tune_folder,
  swap_operator,
)


# A whole run: it compiles a training step and draws the pages of its report.
@pytest.mark.slow
def test_fine_tune_folder(video_folder, tmp_path, capsys):
  words = [str(video_folder), str(tmp_path / "run"), "--steps", "2"]
  words += ["--frames", "2", "--image-size", "16", "--width", "4"]
  with jax.numpy_dtype_promotion("standard"):  # Optax needs it.
    accuracy = fine_tune_folder.main(words)
  assert 0 <= accuracy <= 1
  assert (tmp_path / "run" / "report.json").exists()
  assert f"{accuracy:.1%} of 2 test videos." in capsys.readouterr().out


def test_swap_operator(capsys):
  found = swap_operator.compare(
    "resnet18", ("none", "aggregation"), 3, 16, width=8, stage_sizes=(1,)
  )
  assert found["none"] < 1e-4 < 1e-2 < found["aggregation"]
  # Three taps for each of the eight channels.
  assert "(+24), features (1, 8)" in capsys.readouterr().out


def test_convert_and_predict(video_folder, tmp_path, capsys):
  tiny = {"width": 8, "stage_sizes": (1,)}
  model = temporal_jax.create_model("resnet18", num_classes=2, **tiny)
  clip = jnp.zeros((1, 1, 16, 16, 3))
  variables = jax.jit(model.init)(jax.random.key(0), clip)
  # The second class wins whatever is seen.
  variables["params"]["head"]["bias"] = jnp.array([0.0, 9.0])
  tensors = convert_weights.to_torch(
    "resnet18", variables, source="torchvision", **tiny
  )
  checkpoint = tmp_path / "resnet.safetensors"
  safetensors.numpy.save_file(tensors, checkpoint)
  (tmp_path / "labels.txt").write_text("falling\nwaving\n")
  video = str(video_folder / "rise" / "0.mp4")
  words = [str(checkpoint), str(tmp_path / "model"), video]
  words += ["--model", "resnet18", "--labels", str(tmp_path / "labels.txt")]
  words += ["--set", "width=8", "--set", "stage_sizes=[1]"]
  words += ["--set", "image_size=16", "--set", "num_frames=2"]
  assert convert_and_predict.main(words) == {video: "waving"}
  assert f"{video}: waving 99.9%, falling 0.1%" in capsys.readouterr().out


def test_custom_operator():
  first, *_, last = custom_operator.main(["--steps", "8"])
  assert last < first
