"""Files that would run code are refused before any of it runs."""

import io
import os
import pickle

import numpy as np
import pytest
import torch

from tests.support.checkpoint_files import refused, save_script


class _Attack:
  """A pickle of it makes a file when it is opened."""

  def __init__(self, marker):
    self.marker = marker

  def __reduce__(self):
    return os.mkdir, (str(self.marker),)


class _Evaluated(_Attack):
  def __reduce__(self):
    return eval, (f"__import__('os').mkdir({str(self.marker)!r})",)


def _npz_attack(payload):
  file = io.BytesIO()
  np.savez(file, w=np.array([payload], dtype=object))
  return file.getvalue()


def _saved(payload, zipped):
  file = io.BytesIO()
  saved = {"state_dict": {"w": torch.ones(2)}, "args": payload}
  torch.save(saved, file, _use_new_zipfile_serialization=zipped)
  return file.getvalue()


_ATTACKS = {
  **{f"pickle {p}": lambda a, p=p: pickle.dumps(a, p) for p in range(6)},
  "pickled weights": lambda a: pickle.dumps({"w": np.ones(2), "x": a}),
  "npz": _npz_attack,
  "torch": lambda a: _saved(a, zipped=True),
  "legacy torch": lambda a: _saved(a, zipped=False),
}


@pytest.mark.parametrize("attack", [_Attack, _Evaluated])
@pytest.mark.parametrize("form", _ATTACKS)
def test_nothing_is_run(tmp_path, form, attack):
  marker, path = tmp_path / "marker", tmp_path / "weights.pt"
  path.write_bytes(_ATTACKS[form](attack(marker)))
  message = refused(path)
  assert not marker.exists()
  if "torch" in form:
    name = "eval" if attack is _Evaluated else "posix.mkdir"
    assert f"asks for '{name}', which could run code" in message


@pytest.mark.parametrize("attack", [_Attack, _Evaluated])
def test_these_attacks_work(tmp_path, attack):
  pickle.loads(pickle.dumps(attack(tmp_path / "marker")))
  assert (tmp_path / "marker").exists()


class _Script(torch.nn.Module):
  """TorchScript that runs as it is read."""

  def __init__(self, marker):
    super().__init__()
    self.marker = marker
    self.weight = torch.nn.Parameter(torch.ones(2))

  def forward(self, x):
    return x * self.weight

  @torch.jit.export
  def __getstate__(self):
    return self.marker, self.weight, self.training

  @torch.jit.export
  def __setstate__(self, state: tuple[str, torch.Tensor, bool]):
    self.marker, self.weight, self.training = state
    torch.save(self.weight, self.marker)


@pytest.mark.parametrize("hide", [False, True])
def test_no_script_is_run(tmp_path, hide):
  path, marker = tmp_path / "a.pt", tmp_path / "marker"
  with path.open("wb") as file:
    save_script(_Script(str(marker)), file)
  if hide:  # torch finds its code by names of either case.
    path.write_bytes(path.read_bytes().replace(b".py", b".pY"))
  assert "would run code as it is read" in refused(path)
  assert not marker.exists()
  with pytest.warns(DeprecationWarning, match="jit.load"):
    torch.jit.load(path)
  assert marker.exists()  # This is what it would do.


def test_a_whole_module_isrefused(tmp_path):
  torch.save(torch.nn.Linear(2, 2), tmp_path / "a.pt")
  assert "torch.nn.modules.linear.Linear" in refused(tmp_path / "a.pt")
