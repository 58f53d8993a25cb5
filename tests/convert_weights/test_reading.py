"""Checkpoints of every format and wrapper in, equal arrays out."""

import argparse
import subprocess
import sys
import types
import zipfile
from collections import OrderedDict

import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy
import torch

from convert_weights.reading import CheckpointError, read
from tests.convert_weights.checkpoints import FORMATS, WEIGHTS, save

OPTIMIZER = {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": []}
AVERAGE = {name: value + 1 for name, value in WEIGHTS.items()}


def _tensors(weights):
  return {name: torch.tensor(value) for name, value in weights.items()}


def _assert_equal(tensors, weights):
  assert dict(tensors).keys() == weights.keys()
  for name, value in weights.items():
    assert tensors[name].dtype == value.dtype
    np.testing.assert_array_equal(tensors[name], value)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("suffix", ["pt", "pth.tar", "npz", "safetensors"])
def test_contents_tell_the_format(tmp_path, form, suffix):
  path = save(form, tmp_path / f"weights.{suffix}")
  checkpoint = read(str(path))
  _assert_equal(checkpoint.tensors, WEIGHTS)
  assert checkpoint.path == path
  assert checkpoint.format == form
  assert not checkpoint.wrapper
  assert not checkpoint.ignored
  assert not checkpoint.others


@pytest.mark.parametrize("form", ["safetensors", "torch"])
def test_large_arrays_lie_in_the_file(tmp_path, form):
  path = save(form, tmp_path / "weights")
  for array in read(path).tensors.values():
    assert not array.flags.owndata
    assert not array.flags.writeable


@pytest.mark.parametrize("form", ["safetensors", "torch"])
def test_bfloat16(tmp_path, form):
  values = np.array([1.5, -3, 0], jnp.bfloat16)
  path = tmp_path / "weights"
  if form == "torch":
    torch.save({"w": torch.tensor([1.5, -3, 0], dtype=torch.bfloat16)}, path)
  else:
    safetensors.numpy.save_file({"w": values}, path)
  _assert_equal(read(path).tensors, {"w": values})


def test_strided_parameters(tmp_path):
  weight = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3).T)
  torch.save({"w": weight, "same": weight}, tmp_path / "a.pt")
  expected = np.arange(6, dtype=np.float32).reshape(2, 3).T
  _assert_equal(
    read(tmp_path / "a.pt").tensors, {"w": expected, "same": expected}
  )


def test_compressed_torch_archive(tmp_path):
  """Such a one cannot be mapped: its bytes are not those of the tensors."""
  path, packed = save("torch", tmp_path / "a.pt"), tmp_path / "packed.pt"
  with (
    zipfile.ZipFile(path) as plain,
    zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
  ):
    for name in plain.namelist():
      archive.writestr(name, plain.read(name))
  _assert_equal(read(packed).tensors, WEIGHTS)


def test_words_and_byte_order_in_npz(tmp_path):
  swapped = WEIGHTS["head.weight"].astype(">f4")
  np.savez_compressed(tmp_path / "a", w=swapped, note=np.array("hello"))
  checkpoint = read(tmp_path / "a.npz")
  _assert_equal(checkpoint.tensors, {"w": WEIGHTS["head.weight"]})
  assert checkpoint.ignored == ("note",)


@pytest.mark.parametrize(
  ("wrap", "wrapper"),
  [
    (lambda w: {"state_dict": w}, "state_dict"),
    (lambda w: {"model_state": w, "cfg": "A: 1"}, "model_state"),
    (lambda w: {"model": {"state_dict": w}}, "model > state_dict"),
    (lambda w: {"module": OrderedDict(w)}, "module"),
    (lambda w: {"model": {"name": "x"}, "state_dict": w}, "state_dict"),
    (lambda w: {"model": w, "module": w}, "model"),  # The very same.
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
  _assert_equal(checkpoint.tensors, WEIGHTS)
  assert checkpoint.wrapper == wrapper


def test_a_prefix_that_not_all_have_stays(tmp_path):
  weights = {"module.w": np.ones(2), "v": np.zeros(2)}
  np.savez(tmp_path / "a.npz", **weights)
  _assert_equal(read(tmp_path / "a.npz").tensors, weights)


@pytest.mark.parametrize("ema", [False, True])
def test_moving_average_is_a_choice(tmp_path, ema):
  saved = {
    "state_dict": _tensors(WEIGHTS),
    "state_dict_ema": _tensors(AVERAGE),
    "optimizer": OPTIMIZER,
  }
  torch.save(saved, tmp_path / "a.pt")
  checkpoint = read(tmp_path / "a.pt", ema=ema)
  _assert_equal(checkpoint.tensors, AVERAGE if ema else WEIGHTS)
  assert checkpoint.others == (("state_dict",) if ema else ("state_dict_ema",))
  assert checkpoint.ignored == ("optimizer",)


@pytest.mark.parametrize(
  ("saved", "ema", "match"),
  [
    ({"state_dict": {"w": torch.ones(2)}}, True, "no moving average"),
    ({"model_ema": {"w": torch.ones(2)}}, False, "average alone.*model_ema"),
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
  _assert_equal(checkpoint.tensors, WEIGHTS)
  assert checkpoint.ignored == ("args", "best", "epoch", "config", "accuracy")


_WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from convert_weights.reading import CheckpointError, read
for name in ("safetensors", "npz"):
  assert len(read(f"{FOLDER}/{name}").tensors) == 5
for name in ("torch", "torchscript", "legacy torch"):
  try:
    read(f"{FOLDER}/{name}")
  except CheckpointError as error:
    assert 'pip install "temporal_jax[convert]"' in str(error)
  else:
    raise SystemExit(name)
"""


def test_without_torch(tmp_path):
  for form in FORMATS:
    save(form, tmp_path / form)
  code = _WITHOUT_TORCH.replace("{FOLDER}", str(tmp_path))
  subprocess.run([sys.executable, "-c", code], check=True)


def test_old_torch_is_not_used(tmp_path, monkeypatch):
  path = save("torch", tmp_path / "a.pt")
  version = torch.torch_version.TorchVersion("2.9.1")
  monkeypatch.setattr(torch, "__version__", version)
  with pytest.raises(CheckpointError, match=r"torch 2\.9\.1 cannot .* 2\.10"):
    read(path)
