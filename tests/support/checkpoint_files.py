"""The same small weights in every format, and messages about bad ones."""

import warnings

import numpy as np
import pytest
import safetensors.numpy
import torch

from convert_weights.reading import CheckpointError, read

FORMATS = ("safetensors", "npz", "torch", "legacy torch", "torchscript")


class _Network(torch.nn.Module):
  def __init__(self):
    super().__init__()
    self.head = torch.nn.Linear(4, 3)
    self.norm = torch.nn.BatchNorm1d(3, affine=False)

  def forward(self, x):
    return self.norm(self.head(x))


_NETWORK = _Network()
WEIGHTS = {k: v.numpy().copy() for k, v in _NETWORK.state_dict().items()}


def save(form, path):
  """Writes `WEIGHTS` to a path in one of `FORMATS`; returns the path."""
  with path.open("wb") as file:
    if form == "safetensors":
      file.write(safetensors.numpy.save(WEIGHTS))
    elif form == "npz":
      np.savez(file, **WEIGHTS)
    elif form == "torchscript":
      save_script(_NETWORK, file)
    else:
      zipped = form == "torch"
      state = _NETWORK.state_dict()
      torch.save(state, file, _use_new_zipfile_serialization=zipped)
  return path


def save_script(network, file):
  """Writes a network as torch.jit.save does, which is out of use by now."""
  with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    torch.jit.save(torch.jit.script(network), file)


def refused(path):
  """Returns the reason of a refusal, having checked its form."""
  with pytest.raises(CheckpointError) as caught:
    read(path)
  message = str(caught.value)
  assert message.startswith(f"{path}: ")
  assert "\n" not in message
  assert len(message) < len(str(path)) + 500
  assert caught.value.__suppress_context__  # No traceback of torch's above it.
  return message


def assert_equal(tensors, weights):
  """Asserts the same names, dtypes and values."""
  assert dict(tensors).keys() == weights.keys()
  for name, value in weights.items():
    assert tensors[name].dtype == value.dtype
    np.testing.assert_array_equal(tensors[name], value)
