import json
import shutil
import statistics

import jax
import numpy as np
import pytest

from temporal_jax import data, inference
from temporal_jax.cli import main
from temporal_jax.data.views.read_views import read_views
from temporal_jax.text.tokenizer import tokenize
from tests.support import saved_video_text as small
from tests.support.hmdb51_lists import write_lists


@pytest.fixture(scope="module")
def videos(tmp_path_factory, video_folder):
  """Folder of class/video as HMDB51 has it."""
  root = tmp_path_factory.mktemp("hmdb51")
  shutil.copytree(video_folder / "rise", root / "go_up")
  shutil.copytree(video_folder / "fall", root / "GoDown")
  return root


def _tell(saved, videos):
  """Videos that a network tells right, and those it does not, by hand."""
  classes = {"GoDown": "go down", "go_up": "go up"}
  tokens = tokenize(list(classes.values()), context=small.CONTEXT)
  apply = jax.jit(saved.network.apply)
  right, wrong = [], []
  for label, name in enumerate(classes):
    for i in range(6):
      with data.open_reader(str(videos / name / f"{i}.mp4")) as reader:
        clips = read_views(reader, saved.protocol)
      pixels = (clips.astype(np.float32) / 255 - 0.5) / 0.25
      logits, _ = apply(saved.variables, pixels, tokens)
      (right if np.argmax(logits) == label else wrong).append((name, i))
  return right, wrong


@pytest.fixture(scope="module")
def told(videos):
  """Those that the small X-CLIP tells right, and those it does not."""
  right, wrong = _tell(small.make_saved(), videos)
  assert len(right) >= 3
  assert len(wrong) >= 2
  return right, wrong


def test_three_splits_with_mean_and_deviation(videos, told, tmp_path):
  right, wrong = told
  write_lists(
    tmp_path,
    [right[:3] + wrong[:1], right[2:3] + wrong[1:2], right[:1] + wrong[:2]],
  )
  got = inference.score_splits(small.make_saved(), "hmdb51", tmp_path, videos)
  want = (3 / 4, 1 / 2, 1 / 3)
  assert got.top1 == pytest.approx(want)
  assert got.counts == (4, 2, 3)
  assert got.labels == ("go down", "go up")
  assert got.bad == {}
  assert got.mean == pytest.approx(statistics.mean(want))
  assert got.deviation == pytest.approx(statistics.pstdev(want))


@pytest.mark.slow
def test_tadaformer_is_scored_by_the_command(videos, tmp_path):
  saved = small.make_saved("tadaformer_b16_text")
  right, wrong = _tell(saved, videos)
  assert right
  assert wrong
  write_lists(tmp_path, [right[:1], wrong[:1], right[-1:] + wrong[-1:]])
  inference.save_model(tmp_path / "model", saved.variables, saved.description)
  words = ["zeroshot", "--annotations", "hmdb51", "--root", str(tmp_path)]
  words += ["--videos", str(videos), "--model", str(tmp_path / "model")]
  assert main([*words, "--json", str(tmp_path / "out.json")]) == 0
  got = json.loads((tmp_path / "out.json").read_text())
  assert got["model"] == "tadaformer_b16_text"
  assert got["top1"] == [1.0, 0.0, 0.5]
  assert got["mean"] == pytest.approx(0.5)
  assert got["deviation"] == pytest.approx(6**-0.5)


def test_what_cannot_be_read_does_not_count(videos, told, tmp_path):
  right, wrong = told
  root = shutil.copytree(videos, tmp_path / "videos")
  bad = root / right[0][0] / f"{right[0][1]}.mp4"
  bad.unlink()
  score = inference.score_splits
  write_lists(tmp_path, [right[:2] + wrong[:2]] * 3)
  got = score(small.make_saved(), "hmdb51", tmp_path, root)
  assert got.top1 == pytest.approx([1 / 3] * 3)
  assert got.counts == (3, 3, 3)
  assert list(got.bad) == [str(bad)]
  write_lists(tmp_path, [wrong[:1], right[:1], wrong[:1]])
  with pytest.raises(ValueError, match="no test video of split 2 can be read"):
    score(small.make_saved(), "hmdb51", tmp_path, root)


def test_what_is_no_data_set(videos, tmp_path):
  saved = small.make_saved()
  with pytest.raises(ValueError, match="name must be one of"):
    inference.score_splits(saved, "k400", tmp_path, videos)
  with pytest.raises(FileNotFoundError, match="is no folder"):
    inference.score_splits(saved, "hmdb51", tmp_path, tmp_path / "none")
  write_lists(tmp_path, [[("go_up", 0)]] * 3)
  (tmp_path / "GoDown_test_split2.txt").unlink()
  with pytest.raises(ValueError, match=r"1 and 2 differ .* \['GoDown'\]"):
    inference.score_splits(saved, "hmdb51", tmp_path, videos)
