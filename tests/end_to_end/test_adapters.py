"""configs/adapters.py: a frozen tower with adapters, and what is made of it."""

import json

import flax.traverse_util as trees
import jax
import numpy as np
import pytest

import temporal_jax
from temporal_jax import evaluation, experiment, inference, train, training
from temporal_jax.configs import adapters, finetune
from temporal_jax.experiment import preview
from temporal_jax.training.parameter_names import named
from tests.support.saved_models import small_model

_SIZES = {
  "width": 16,
  "depth": 1,
  "num_heads": 2,
  "image_size": 32,
  "temporal": None,
}
_RANK = 2


@pytest.fixture(autouse=True)
def _standard_promotion():
  """As in a run: optax promotes."""
  with jax.numpy_dtype_promotion("standard"):
    yield


@pytest.fixture(scope="module")
def tower(tmp_path_factory):
  """The folder of a small image tower."""
  saved = small_model("vit_b16", side=32, **_SIZES)
  rng = np.random.default_rng(0)
  variables = jax.tree.map(
    lambda leaf: rng.normal(0, 0.2, leaf.shape).astype(np.float32), saved.variables
  )
  folder = tmp_path_factory.mktemp("weights") / "tower"
  description = {
    "model": "vit_b16",
    "overrides": _SIZES,
    "num_classes": 2,
    "clip_shape": saved.clip_shape,
    "class_names": None,
    "pixels": saved.pixels,
  }
  inference.save_model(folder, variables, description)
  return folder


def _config(name, videos, weights, **changes):
  config = adapters.get_config(name) if name else finetune.get_config()
  config.data.root, config.init_from = str(videos), str(weights)
  config.num_steps, config.optim.warmup_steps, config.batch_size = 3, 0, 8
  config.data.num_threads, config.data.test_fraction = 2, 0.34
  config.optim.lr = 0.05
  if name == "low_rank":
    config.adapters.rank = _RANK
  config.update_from_flattened_dict(changes)
  return config


class _StopAfter(training.StopRequest):
  """Stops as a signal does."""

  def __init__(self, step):
    super().__init__()
    self._step = step

  def comes_after(self, step):
    self.signal = "SIGTERM" if step >= self._step else None
    return super().comes_after(step)


def _run(config, workdir, stop=None):
  train.run(config, workdir, stop or training.StopRequest())
  return workdir


@pytest.fixture(scope="module")
def low_rank(tower, video_folder, tmp_path_factory):
  """The workdir of a run of low-rank adapters that was never stopped."""
  with jax.numpy_dtype_promotion("standard"):
    config = _config("low_rank", video_folder, tower)
    return _run(config, tmp_path_factory.mktemp("low_rank"))


def _leaves(variables):
  return trees.flatten_dict(variables, sep="/")


def test_only_adapters_and_the_head_are_trained(low_rank, tower):
  state = training.read_state(low_rank)
  start = _leaves(training.load_variables(tower)["params"])
  params = named(state["params"])
  factors = {name for name in params if name.startswith("low_rank/")}
  assert len(factors) == 8
  frozen = params.keys() - factors - {"head/kernel", "head/bias"}
  assert all(np.array_equal(params[name], start[name]) for name in frozen)
  assert all(np.any(params[name]) for name in factors)


def test_the_folder_predicts_what_the_run_scored(low_rank, video_folder, tmp_path):
  """The same network without factors, as predict, export and others read it."""
  scored = evaluation.load_scores(low_rank / "scores.npz").predictions
  files = [str(video_folder / name) for name in scored.ids]
  for folder in (low_rank, tmp_path / "saved"):
    if folder != low_rank:
      temporal_jax.save_pretrained(low_rank, folder)
      assert not any("low_rank" in x for x in _leaves(training.load_variables(folder)))
    saved = inference.load_model(folder)
    predictions = list(inference.Predictor(saved).predict(files))
    np.testing.assert_allclose(
      [one.probabilities for one in predictions], scored.scores, rtol=1e-5, atol=1e-6
    )
  # The adapters take part in the scores.
  state = training.read_state(low_rank)
  plain = training.without_factors(state["ema"]["params"])
  merged = inference.load_model(low_rank).variables["params"]
  changed = [n for n, v in named(plain).items() if np.any(v != named(merged)[n])]
  assert len(changed) == 4


def test_stopped_and_started_again_it_is_the_same(
  low_rank, tower, video_folder, tmp_path
):
  config = _config("low_rank", video_folder, tower)
  _run(config, tmp_path, _StopAfter(1))
  assert int(training.read_state(tmp_path)["step"]) == 1
  _run(config, tmp_path)
  jax.tree.map(
    np.testing.assert_array_equal,
    training.read_state(tmp_path),
    training.read_state(low_rank),
  )
  assert (tmp_path / "metrics.jsonl").read_text() == (
    low_rank / "metrics.jsonl"
  ).read_text()


@pytest.mark.parametrize(("rank", "field"), [(4, "4"), (0, "0")])
def test_another_rank_is_refused_on_a_later_start(
  low_rank, tower, video_folder, rank, field
):
  config = _config("low_rank", video_folder, tower, **{"adapters.rank": rank})
  if not rank:
    config.adapters.layers, config.optim.trained = (), ("head/.*",)
  before = {path: path.stat().st_mtime_ns for path in low_rank.rglob("*")}
  with pytest.raises(ValueError, match=f"adapters.rank was 2 and is now {field}, whi"):
    _run(config, low_rank)
  assert before == {path: path.stat().st_mtime_ns for path in low_rank.rglob("*")}


@pytest.mark.slow
def test_other_runs_start_from_the_merged_network(
  low_rank, video_folder, tmp_path, capsys
):
  config = _config("", video_folder, low_rank, num_steps=1)
  _run(config, tmp_path / "finetuned")
  assert f"start: weights of {low_rank}; new: nothing." in capsys.readouterr().out
  again = _config("low_rank", video_folder, low_rank, num_steps=1)
  _run(again, tmp_path / "adapted")
  assert "new: 8 leaves" in capsys.readouterr().out
  kernel = "block1/mlp/expand/kernel"
  merged = training.load_variables(low_rank)["params"]
  started = training.read_state(tmp_path / "adapted")["params"]
  np.testing.assert_array_equal(named(started)[kernel], named(merged)[kernel])


def test_temporal_adapters_join_a_frozen_image_tower(
  tower, video_folder, tmp_path, capsys
):
  _run(_config("temporal", video_folder, tower), tmp_path)
  out = capsys.readouterr().out
  assert "new: 6 leaves" in out, out
  params = named(training.read_state(tmp_path)["params"])
  start = _leaves(training.load_variables(tower)["params"])
  added = params.keys() - start.keys()
  assert {name.partition("attention_branch")[0] for name in added} == {"block1/"}
  moved = {name for name in start if not np.array_equal(start[name], params[name])}
  assert moved == {"head/kernel", "head/bias"}
  assert np.any(params["block1/attention_branch/convolution/kernel"])
  described = json.loads((tmp_path / "model.json").read_text())
  assert described["overrides"]["temporal"] == "adapter"


@pytest.mark.parametrize(
  ("changes", "message"),
  [
    ({"adapters.rank": 0}, r"adapters\.rank must be 1 or above for adapters\.layers"),
    ({"adapters.rank": -1}, r"adapters\.rank must be in \[0, 16384\], got -1"),
    ({"adapters.rank": 17}, r"rank must be at most 16 for block1/attention/out/ker"),
    ({"adapters.layers": ()}, r"adapters\.layers must be regexes of the kernels"),
    ({"adapters.layers": ("gru/.*",)}, r"adapters\.layers: 'gru/\.\*' must fit the"),
    ({"adapters.layers": (".*/norm1/scale",)}, r"kernels, of two axes or more, got"),
    ({"optim.trained": ()}, "low_rank/block1/attention/out/kernel/a must be trained"),
    ({"optim.trained": ("head/.*",)}, "must be trained and block1/att.* frozen, as"),
    ({"optim.frozen": ("head/.*",)}, r"frozen \('head/\.\*',\) and trained \("),
    (
      {"model.name": "resnet18", "init_from": ""},
      r"adapters\.layers: '.*attention.*' must fit the whole name of a parameter",
    ),
  ],
)
def test_adapters_that_cannot_be_are_refused(
  tower, video_folder, tmp_path, changes, message
):
  config = _config("low_rank", video_folder, tower, **changes)
  with pytest.raises(ValueError, match=message):
    _run(config, tmp_path / "run")
  assert not (tmp_path / "run").exists()


def test_the_plan_counts_the_factors(tower, monkeypatch):
  monkeypatch.setattr(preview, "plan_devices", lambda *_: jax.devices())
  config = _config("low_rank", "", tower, **{"data.num_classes": (2,), "mesh.fsdp": 2})
  kind = experiment.run_kind(config)
  text = kind.show_layout(config, 8, None)
  rows = [line.split() for line in text.splitlines()]
  # Rows and columns: 16 + 48, 16 + 16 and twice 16 + 64, and the head's.
  factors, head = _RANK * (64 + 32 + 2 * 80), 2 * 512
  assert rows[1][2:] == ["9", f"{factors + head:,}", "head/kernel"]
  # Two moments of these and of the head's bias, float32, and four counters.
  (moments,) = [
    int(row[1].replace(",", "")) for row in rows if row[:1] == ["optimizer"]
  ]
  assert 0 <= moments - 2 * 4 * (factors + head + 2) <= 16
