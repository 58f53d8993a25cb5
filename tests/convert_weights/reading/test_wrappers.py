"""Wrappers around weights are unwrapped; entries next to them are named."""

import argparse
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest
import torch

from convert_weights.reading import CheckpointError, read
from tests.support.checkpoint_files import WEIGHTS, assert_equal

OPTIMIZER = {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": []}
AVERAGE = {name: value + 1 for name, value in WEIGHTS.items()}


def _tensors(weights):
  return {name: torch.tensor(value) for name, value in weights.items()}


def _under(prefix, weights):
  return {f"{prefix}{name}": value for name, value in weights.items()}


@pytest.mark.parametrize(
  ("wrap", "wrapper"),
  [
    (lambda w: {"state_dict": w}, "state_dict"),
    (lambda w: {"model_state": w, "cfg": "A: 1"}, "model_state"),
    (lambda w: {"model": {"state_dict": w}}, "model > state_dict"),
    (lambda w: {"module": OrderedDict(w)}, "module"),
    (lambda w: {"model": {"name": "x"}, "state_dict": w}, "state_dict"),
    (lambda w: {"model": w, "module": w}, "model"),  # The very same.
    (lambda w: {"net": w, "acc": 90.1}, "net"),
    (lambda w: {"params": w}, "params"),
    (lambda w: {"weights": w}, "weights"),
    (lambda w: {"encoder": w, "optimizer": OPTIMIZER}, "encoder"),
    (lambda w: {"net": {"params": w}, "opt": {"m": w}}, "net > params"),
    (lambda w: {"model": w, "state_dict": dict(w)}, "state_dict"),  # Copies.
    (
      lambda w: {"n_averaged": torch.tensor(3), **_under("module.", w)},
      "module.*",
    ),
    (
      lambda w: {"model": {**_under("module.", w), "steps": torch.tensor(1)}},
      "model > module.*",
    ),
    (
      lambda w: {"state_dict": {f"module.{k}": v for k, v in w.items()}},
      "state_dict > module.*",
    ),
    (
      lambda w: {f"_orig_mod.module.{k}": v for k, v in w.items()},
      "_orig_mod.* > module.*",
    ),
  ],
)
def test_wrappers(tmp_path, wrap, wrapper):
  torch.save(wrap(_tensors(WEIGHTS)), tmp_path / "a.pt")
  checkpoint = read(tmp_path / "a.pt")
  assert_equal(checkpoint.tensors, WEIGHTS)
  assert checkpoint.wrapper == wrapper


def test_a_prefix_that_not_all_have_stays(tmp_path):
  weights = {"module.w": np.ones(2), "v": np.zeros(2)}
  np.savez(tmp_path / "a.npz", **weights)
  assert_equal(read(tmp_path / "a.npz").tensors, weights)


def test_parts_of_wrappers_inside_of_names(tmp_path):
  inside = {
    "a._orig_mod.w": np.ones(2),
    "b._checkpoint_wrapped_module.w": np.zeros(2),
  }
  np.savez(tmp_path / "a.npz", **inside)
  assert read(tmp_path / "a.npz").tensors.keys() == {"a.w", "b.w"}
  np.savez(tmp_path / "b.npz", **inside, **{"a.w": np.zeros(2)})
  # Two tensors would have one name.
  assert len(read(tmp_path / "b.npz").tensors) == 3


def test_an_averaged_model_is_a_moving_average(tmp_path):
  module = torch.nn.Linear(2, 2)
  average = torch.optim.swa_utils.AveragedModel(module)
  average.update_parameters(module)
  with torch.no_grad():
    module.weight.add_(1)
  torch.save(average.state_dict(), tmp_path / "only.pt")
  for ema in (False, True):
    checkpoint = read(tmp_path / "only.pt", ema=ema)
    assert checkpoint.tensors.keys() == {"weight", "bias"}
    assert checkpoint.ignored == ("n_averaged",)
  saved = {"net": module.state_dict(), "averaged": average.state_dict()}
  torch.save(saved, tmp_path / "both.pt")
  weight = module.weight.detach().numpy()
  for ema, difference in ((False, 0), (True, -1)):
    got = read(tmp_path / "both.pt", ema=ema).tensors["weight"]
    np.testing.assert_allclose(got, weight + difference, atol=1e-6)


def test_of_several_sets_an_entry_is_asked_for(tmp_path):
  saved = {
    "student": _tensors(WEIGHTS),
    "teacher": _under("module.", _tensors(AVERAGE)),
    "optimizer": OPTIMIZER,
    "epoch": 3,
  }
  torch.save(saved, tmp_path / "a.pt")
  with pytest.raises(CheckpointError, match=r"student.*teacher.*--entry"):
    read(tmp_path / "a.pt")
  assert_equal(read(tmp_path / "a.pt", entry="student").tensors, WEIGHTS)
  teacher = read(tmp_path / "a.pt", entry="teacher")
  assert_equal(teacher.tensors, AVERAGE)
  assert teacher.others == ("student",)
  with pytest.raises(CheckpointError, match=r"'nobody' holds no .*student"):
    read(tmp_path / "a.pt", entry="nobody")


@pytest.mark.parametrize("ema", [False, True])
def test_moving_average_is_a_choice(tmp_path, ema):
  saved = {
    "state_dict": _tensors(WEIGHTS),
    "state_dict_ema": _tensors(AVERAGE),
    "optimizer": OPTIMIZER,
  }
  torch.save(saved, tmp_path / "a.pt")
  checkpoint = read(tmp_path / "a.pt", ema=ema)
  assert_equal(checkpoint.tensors, AVERAGE if ema else WEIGHTS)
  assert checkpoint.others == (("state_dict",) if ema else ("state_dict_ema",))
  assert checkpoint.ignored == ("optimizer",)


@pytest.mark.parametrize(
  ("saved", "ema", "match"),
  [
    ({"state_dict": {"w": torch.ones(2)}}, True, "no moving average"),
    ({"model_ema": {"w": torch.ones(2)}}, False, "only .* moving average, .*model_ema"),
    ({"optimizer": OPTIMIZER, "epoch": 3}, False, "no weights but"),
    (OPTIMIZER, False, r"no weights but \['state', 'param_groups'\]"),
    ({}, False, "no weights"),
    ({0: torch.ones(2)}, False, "no weights"),
    (torch.ones(2), False, "holds one Tensor"),
    ([torch.ones(2)], False, "holds one list"),
    (
      {"model": {"w": torch.ones(2)}, "state_dict": {"w": torch.ones(2)}},
      False,
      "more than once.*state_dict.*model",
    ),
    ({"w": torch.eye(2).to_sparse()}, False, "'w' is torch.float32.*sparse"),
    ({"w": torch.ones(2).to(torch.float8_e5m2)}, False, "'w' is.*float8"),
    ({"w": torch.ones(1).expand(2**30)}, False, "promises 4294967296 bytes"),
  ],
)
def test_not_one_set_of_weights(tmp_path, saved, ema, match):
  torch.save(saved, tmp_path / "a.pt")
  with pytest.raises(CheckpointError, match=match):
    read(tmp_path / "a.pt", ema=ema)


def test_a_dictionary_inside_of_itself(tmp_path):
  saved = {"w": torch.ones(2)}
  saved["state_dict"] = saved
  torch.save(saved, tmp_path / "a.pt")
  assert read(tmp_path / "a.pt").tensors.keys() == {"w"}


def test_what_authors_save_beside_weights(tmp_path, monkeypatch):
  class CfgNode(dict):
    pass

  # As yacs names and pickles it.
  CfgNode.__module__, CfgNode.__qualname__ = "yacs.config", "CfgNode"
  module = types.ModuleType("yacs.config")
  module.CfgNode = CfgNode
  monkeypatch.setitem(sys.modules, "yacs.config", module)
  monkeypatch.setitem(sys.modules, "yacs", types.ModuleType("yacs"))
  config = CfgNode(lr=0.1)
  config.frozen = True
  saved = {
    "model": _tensors(WEIGHTS),
    "args": argparse.Namespace(lr=0.1, betas=(0.9, 0.98)),
    "best": np.float64(70.5),
    "epoch": np.int64(3),
    "config": config,
    "accuracy": torch.tensor(0.7),
  }
  torch.save(saved, tmp_path / "a.pt")
  checkpoint = read(tmp_path / "a.pt")
  assert_equal(checkpoint.tensors, WEIGHTS)
  assert checkpoint.ignored == ("args", "best", "epoch", "config", "accuracy")
