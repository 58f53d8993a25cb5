"""The benchmark of training: small networks and videos, made-up runs."""

import collections
import json
import subprocess
import sys

import jax
import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from benchmarks import training  # noqa: E402
from benchmarks.cases.networks import NETWORKS  # noqa: E402
from benchmarks.reference import hub  # noqa: E402
from benchmarks.shared.videos import write_videos  # noqa: E402
from benchmarks.training_parts import (  # noqa: E402
  batches,
  convolutions,
  steps,
  whole_run,
)
from temporal_jax import create_model, ops  # noqa: E402
from temporal_jax.ops import space_time_convolution  # noqa: E402

SIDE = 32


def _case():
  """A ResNet of one block in place of the one of 18 layers."""
  config = transformers.ResNetConfig(
    layer_type="basic",
    depths=[1],
    hidden_sizes=[4],
    embedding_size=4,
    num_labels=5,
  )

  def theirs():
    network = transformers.ResNetForImageClassification(config)
    return hub.Frames(network, "logits")

  (case,) = (case for case in NETWORKS if case.name == "resnet18")
  kwargs = {"num_classes": 5, "stage_sizes": (1,), "width": 4}
  return case._replace(theirs=theirs, kwargs=kwargs)


@pytest.fixture
def _one_thread(monkeypatch):
  """Threads of torch would wait for one another on a busy machine.

  oneDNN's gradients of these convolutions break the heap with one thread.
  """
  monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
  threads = torch.get_num_threads()
  torch.set_num_threads(1)
  yield
  torch.set_num_threads(threads)


@pytest.mark.usefixtures("_one_thread")
def test_a_step_is_measured():
  setting = steps.Setting("sgd", frames=2, convolutional=True)
  settings = {"seconds": 0.0, "clip_shape": (8, 24, 24)}
  result = steps.measure(_case(), "float32", setting, **settings)
  assert result["clip"] == (2, 2, 24, 24, 3)
  assert result["difference"] < 1e-5
  assert result["step"]["ratio"] > 0
  speed = result["clips_per_second"]
  assert speed["ours"] == pytest.approx(2e3 / result["step"]["ours"])
  for kind in ("forward", "gradients"):
    times = result["convolutions"][kind]
    assert times["ratio"] == pytest.approx(times["theirs"] / times["ours"])
  least = 2 * 2 * 24 * 24 * 3 + 4 * 1000  # Pixels, and a few parameters.
  assert least < result["peak_bytes"] < 2**24
  assert result["flops_utilization"] is None
  assert training.step_cells(result)[2] == f"{result['step']['ours']:.2f}"


def test_steps_that_differ_are_refused():
  case = _case()
  case = case._replace(kwargs={**case.kwargs, "stem": "7x7"}, rules=[])
  with pytest.raises(ValueError, match="no rule"):
    steps.measure(case, "float32", steps.Setting(frames=1))
  runs = iter([1.0, 2.0])
  ours, theirs = lambda: next(runs), lambda: torch.tensor(0.8)
  assert steps._difference(ours, theirs, 1) == pytest.approx(0.25)


def test_convolutions_are_those_that_ours_computes(monkeypatch):
  case = _case()
  clip = np.zeros((2, 3, 24, 32, 3), np.float32)
  model, called = create_model(case.key, **case.kwargs), []
  real = ops.convolution_2d

  def note(x, kernel, *, stride=1, padding=0, **others):
    frames = (int(np.prod(x.shape[:-3])), *x.shape[-3:])
    called.append((frames, kernel.shape, stride, padding))
    return real(x, kernel, stride=stride, padding=padding, **others)

  for module in (ops, space_time_convolution):
    monkeypatch.setattr(module, "convolution_2d", note)
  jax.eval_shape(model.init, jax.random.key(0), clip)
  found = convolutions.find(case.theirs(), clip.transpose(0, 1, 4, 2, 3))
  assert [c.first for c in found].count(True) == 1
  first = next(c for c in found if c.first)
  assert first.shape == (6, 24, 32, 3)
  plain = collections.Counter()
  for convolution, count in found.items():
    plain[convolution[:4]] += count
  assert plain == collections.Counter(called)


def test_other_convolutions_are_refused():
  network = torch.nn.Conv3d(3, 4, 1)
  with pytest.raises(ValueError, match="Conv3d"):
    convolutions.find(network, np.zeros((1, 3, 2, 4, 4), np.float32))


def test_both_input_sides_give_the_same_frames(tmp_path):
  square = batches.Setting((SIDE, SIDE), short_side=24, image_size=24)
  wide = batches.Setting((SIDE, 40), image_size=24, canvas=(24, 36))
  for setting in (square, wide):
    files = write_videos(tmp_path, 2, setting.size)
    batch = next(batches.train_batches(setting, files, 2, 1))
    for file, clip in zip(batch["id"], batch["clip"], strict=True):
      frames = batches.decode(setting, str(file))
      np.testing.assert_array_equal(clip, np.stack(frames))
      assert clip.std() > 5  # There is something to see,
      assert (clip[0] != clip[1]).mean() > 0.2  # and it moves.


def test_input_is_measured():
  setting = batches.Setting((SIDE, 40), short_side=24, image_size=24)
  result = batches.measure(setting, seconds=0.0, batch=2, num_threads=1, videos=2)
  assert result["ratio"] > 0
  assert result["loader_ratio"] > 0
  assert result["clip"] == (8, 24, 24, 3)
  assert result["clips_per_second"]["ours"] > 0


def test_a_run_is_summarized_after_its_first_case():
  def row(step, seconds, wait):
    speed = {"clips_per_second": 8 / seconds, "seconds_per_step": seconds}
    return {"step": step, **speed, "data_wait": wait}

  rows = [row(20, 9.0, 0.9), row(40, 0.5, 0.0), row(50, 1.0, 0.1)]
  got = whole_run.summarize(rows, 100.0)
  assert got["steps"] == 50
  assert got["clips_per_second"] == pytest.approx(30 * 8 / 20)
  assert got["data_wait"] == pytest.approx(0.05)
  assert got["first_step_seconds"] == pytest.approx(100 - 19 * 20 / 30)
  with pytest.raises(ValueError, match="at least twice"):
    whole_run.summarize(rows[:1], 100.0)


def test_peak_memory_is_that_of_the_command_alone(tmp_path):
  mine = np.ones(2**25)  # 256 MiB, of which the command knows nothing.
  for size, status in ((0, 0), (2**27, 3)):
    words = f"x = b'1' * {size}; raise SystemExit({status})"
    command = [sys.executable, "-c", words]
    child = [
      sys.executable,
      "-m",
      "benchmarks.shared.peak_memory",
      str(tmp_path / "peak"),
    ]
    assert subprocess.call(child + command) == status
    peak = int((tmp_path / "peak").read_text())
    assert size < peak < size + 2**26
  assert mine.nbytes == 2**28


def test_failures_are_reported(monkeypatch, tmp_path, capsys):
  def fail(*arguments):
    raise ValueError(f"refused {arguments}")

  monkeypatch.setattr(whole_run, "measure", fail)
  report = tmp_path / "report.json"
  with pytest.raises(SystemExit, match="1"):
    training.main(["--parts", "run", "--config.seed=3", "--json", str(report)])
  assert "run failed: refused" in capsys.readouterr().out
  assert "--config.seed=3" in json.loads(report.read_text())["run"][0]["error"]


def test_a_run_is_printed(monkeypatch, capsys):
  run = {
    "config": "configs/x.py",
    "steps": 50,
    "clips_per_second": 12.0,
    "data_wait": 0.05,
    "first_step_seconds": 62.0,
    "seconds": 120.4,
    "peak_bytes": 2**31,
  }
  monkeypatch.setattr(whole_run, "measure", lambda *arguments: run)
  training.main(["--parts", "run"])
  *_, line = capsys.readouterr().out.splitlines()
  cells = [cell.strip() for cell in line.split("|")[1:-1]]
  assert cells == ["configs/x.py", "50", "120", "62.0", "12.0", "5.0%", "2.00"]


@pytest.mark.parametrize("wrong", [["--seed=3"], ["--networks", "vit_b33"]])
def test_unknown_arguments_are_refused(wrong, capsys):
  with pytest.raises(SystemExit, match="2"):
    training.main(wrong)
  assert wrong[-1] in capsys.readouterr().err


@pytest.mark.slow  # Two processes of train.py, one of which compiles.
def test_a_run_is_measured(video_folder):
  result = whole_run.measure(
    "configs/camera_motion.py",
    4,
    [
      "--config.data.name=",
      f"--config.data.root={video_folder}",
      "--config.data.flip_pairs=()",
      "--config.data.augment=",
      "--config.optim.warmup_steps=1",
      "--config.log_every=2",
      "--config.batch_size=8",
    ],
  )
  assert result["steps"] == 4
  assert 0 < result["first_step_seconds"] < result["seconds"]
  assert 0 <= result["data_wait"] <= 1
  assert result["peak_bytes"] > 2**27
