import matplotlib.image
import numpy as np
import pytest

from temporal_jax import evaluation
from temporal_jax.evaluation.plots import save_confusion, save_curves


def _share_of(file, color):
  """Share of the pixels that have (nearly) this colour."""
  picture = matplotlib.image.imread(file)[..., :3]
  return np.mean(np.all(np.abs(picture - color) < 0.02, axis=-1))


GREEN = np.array([0x1A, 0x7F, 0x37]) / 255
RED = np.array([0xC0, 0x39, 0x2B]) / 255


@pytest.mark.parametrize("classes", [3, 174])
def test_gains_are_drawn_in_their_colours(tmp_path, classes):
  rng = np.random.default_rng(0)
  names = [f"class {i} of something long and longer" for i in range(classes)]
  gains = rng.uniform(0.05, 0.8, classes)
  gains[0] = np.nan
  file = tmp_path / "gains.png"
  evaluation.save_gains(gains, names, file, before="TSN", after="TAda2D")
  assert _share_of(file, GREEN) > 0.03
  assert _share_of(file, RED) == 0
  evaluation.save_gains(-gains, names, file, before="TAda2D", after="TSN")
  assert _share_of(file, GREEN) == 0
  assert _share_of(file, RED) > 0.03


def test_gains_that_say_nothing_are_refused(tmp_path):
  options = {"file": tmp_path / "x.png", "before": "a", "after": "b"}
  with pytest.raises(ValueError, match=r"2 classes are needed, got \(3,\)"):
    evaluation.save_gains(np.zeros(3), ["a", "b"], **options)
  with pytest.raises(ValueError, match="no class"):
    evaluation.save_gains(np.array([np.nan]), ["a"], **options)
  with pytest.raises(ValueError, match="recognized better or worse"):
    evaluation.save_gains(np.array([np.nan, 0.0]), ["a", "b"], **options)


def test_accuracy_by_views_is_drawn(tmp_path):
  file = tmp_path / "views.png"
  runs = {"8 frames": {1: 0.7, 2: 0.8}, "16 frames": {1: 0.75, 4: 0.81}}
  evaluation.save_views(runs, file, num_crops=3)
  assert matplotlib.image.imread(file).std() > 0.02
  with pytest.raises(ValueError, match="must have an accuracy"):
    evaluation.save_views({"a": {}}, file)


def test_values_by_frames_are_drawn(tmp_path):
  file = tmp_path / "frames.png"
  networks = {"resnet50": {8: 19.5, 16: 19.8}, "blvnet_tam_50": {16: 46.4}}
  evaluation.save_by_frames(networks, file, ylabel="top-1 accuracy (%)")
  assert matplotlib.image.imread(file).std() > 0.02
  with pytest.raises(ValueError, match="must have one"):
    evaluation.save_by_frames({"a": {}}, file, ylabel="")


def test_a_large_confusion_matrix_stays_a_picture(tmp_path):
  file = tmp_path / "confusion.png"
  names = [f"class {i}" for i in range(400)]
  save_confusion(np.diag(np.arange(400)), names, file)
  picture = matplotlib.image.imread(file)
  assert max(picture.shape) < 3000


def test_the_final_test_is_a_mark_in_the_curves(tmp_path):
  rows = [{"step": 1, "loss": 1.0, "accuracy": 0.5}]
  orange = np.array([0xDD, 0x84, 0x52]) / 255
  shares = []
  for more in ([], [{"step": 1, "final/top1": 0.75}]):
    file = tmp_path / "curves.png"
    save_curves(rows + more, file, measure="top1", num_classes=2)
    shares.append(_share_of(file, orange))
  assert shares[0] == 0
  assert shares[1] > 1e-4
