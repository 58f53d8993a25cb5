"""Bad checkpoints made from a good one: each is refused, nothing is written.

What readers make of damaged and malicious files is told by test_bad_files.py
and test_malicious_files.py; here the whole command meets them.
"""

import functools
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy
import torch

import convert_weights
import temporal_jax
from convert_weights.__main__ import main

_TINY = {"width": 8, "stage_sizes": (1, 1)}
_SETTINGS = ["--set", "width=8", "--set", "stage_sizes=[1,1]"]


@functools.cache
def _good():
  """A tiny ResNet of random weights in torchvision's names."""
  model = temporal_jax.create_model("resnet18", num_classes=3, **_TINY)
  clip = jax.ShapeDtypeStruct((1, 2, 16, 16, 3), jnp.float32)
  shapes = jax.eval_shape(model.init, jax.random.key(0), clip)
  rng = np.random.default_rng(0)
  variables = jax.tree.map(lambda x: rng.standard_normal(x.shape, np.float32), shapes)
  return convert_weights.to_torch("resnet18", variables, source="torchvision", **_TINY)


def _names():
  return [name for name in _good() if not name.endswith("tracked")]


def _dropped(name, tensors):
  del tensors[name]


def _renamed(name, tensors):
  tensors[f"{name}_"] = tensors.pop(name)


def _doubled(name, tensors):
  tensors[f"module.{name}"] = tensors[name]


def _longer(name, tensors):
  tensors[name] = np.concatenate([tensors[name]] * 2)


def _cut(name, tensors):
  tensors[name] = tensors[name][:1]


def _of_no_axes(name, tensors):
  tensors[name] = np.array(1, np.float32)


def _transposed(name, tensors):
  tensors[name] = np.ascontiguousarray(tensors[name][None].swapaxes(0, -1))


def _whole_numbers(name, tensors):
  tensors[name] = tensors[name].astype(np.int32)


def _with(value, name, tensors):
  tensors[name] = np.array(tensors[name])
  tensors[name].flat[-1] = value


_DAMAGES = {
  "dropped": _dropped,
  "renamed": _renamed,
  "doubled": _doubled,
  "longer": _longer,
  "cut": _cut,
  "of no axes": _of_no_axes,
  "transposed": _transposed,
  "of whole numbers": _whole_numbers,
  "with NaN": functools.partial(_with, np.nan),
  "with infinity": functools.partial(_with, np.inf),
}


def _cases():
  """Every damage once by `make test`, and of every tensor by `test-all`."""
  names = _names()
  cases = []
  for row, damage in enumerate(_DAMAGES):
    for place, name in enumerate(names):
      marks = () if place == 3 * row % len(names) else (pytest.mark.slow,)
      cases.append(pytest.param(damage, name, marks=marks))
  return cases


def _refused(path, out, capsys, *settings):
  """Returns the one message of the command."""
  with pytest.raises(SystemExit) as stop:
    main(["resnet18", str(path), str(out), *(settings or _SETTINGS)])
  assert stop.value.code == 2
  assert not out.exists()
  error = capsys.readouterr().err
  assert error.startswith("convert_weights: ")
  assert error.count("convert_weights: ") == 1
  assert "Traceback" not in error
  assert path.name in error
  return error


@pytest.mark.parametrize(("damage", "name"), _cases())
def test_damaged_tensors(tmp_path, capsys, damage, name):
  tensors = dict(_good())
  _DAMAGES[damage](name, tensors)
  path = tmp_path / "bad.safetensors"
  safetensors.numpy.save_file(tensors, path)
  assert name in _refused(path, tmp_path / "out", capsys)
  assert list(tmp_path.iterdir()) == [path]


def _truncated(share, path):
  tensors = {name: torch.tensor(value) for name, value in _good().items()}
  torch.save(tensors, path)
  contents = path.read_bytes()
  path.write_bytes(contents[: int(share * len(contents))])


class _Malicious:
  def __init__(self, path):
    self._path = path

  def __reduce__(self):
    return open, (str(self._path.with_name("ran")), "w")


_FILES = {
  "nothing": lambda path: path.write_bytes(b""),
  "text": lambda path: path.write_text("weights\n" * 100),
  "a page": lambda path: path.write_text("<!doctype html><html></html>"),
  "a directory": lambda path: path.mkdir(),
  "half": functools.partial(_truncated, 0.5),
  "all but the end": functools.partial(_truncated, 0.99),
  "a pickle": lambda path: path.write_bytes(pickle.dumps(_Malicious(path))),
  "torch's pickle": lambda path: torch.save({"w": _Malicious(path)}, path),
  "torch's old pickle": lambda path: torch.save(
    _Malicious(path), path, _use_new_zipfile_serialization=False
  ),
}


@pytest.mark.parametrize("kind", list(_FILES))
def test_bad_files(tmp_path, capsys, kind):
  path = tmp_path / "bad.pth"
  _FILES[kind](path)
  (tmp_path / "ran").unlink(missing_ok=True)
  _refused(path, tmp_path / "out", capsys)
  assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
  ("settings", "message"),
  [
    (["--set", "width=16", "--set", "stage_sizes=[1,1]"], "! params/stem_conv"),
    (["--set", "width=8", "--set", "stage_sizes=[2,1]"], "- params/stage1_bl"),
    (["--set", "width=8", "--set", "stage_sizes=[1]"], "+ layer2.0.conv1"),
  ],
)
def test_networks_of_other_sizes(tmp_path, capsys, settings, message):
  path = tmp_path / "good.safetensors"
  safetensors.numpy.save_file(_good(), path)
  assert message in _refused(path, tmp_path / "out", capsys, *settings)
