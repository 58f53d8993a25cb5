"""Reads torch's files without running any code in them."""

import pathlib
import pickle
import re
import types
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax.numpy as jnp
import numpy as np

from convert_weights.reading.errors import CheckpointError

# In older ones tensors are enough to corrupt memory (CVE-2026-24747).
_OLDEST_TORCH = "2.10"
# Expanded tensors of this size are let through, in bytes.
_SMALL = 2**20


class _Nothing:
  """Replaces objects that authors save with weights; keeps no arguments."""

  def __new__(cls, *args: Any) -> "_Nothing":
    del args
    return super().__new__(cls)

  def __setstate__(self, state: Any) -> None:
    del state


# Only names of classes: none of the classes is imported.
_HARMLESS = (
  (types.SimpleNamespace, "argparse.Namespace"),
  (_Nothing, "numpy.core.multiarray.scalar"),
  (_Nothing, "numpy._core.multiarray.scalar"),
  (_Nothing, "numpy.dtype"),
  (OrderedDict, "yacs.config.CfgNode"),  # A dictionary with attributes.
)


def read_torch(path: pathlib.Path, entries: Sequence[zipfile.ZipInfo]) -> Any:
  """Reads files of torch.save; tensors are memory-mapped where possible."""
  torch = _import_torch()
  stored = all(e.compress_type == zipfile.ZIP_STORED for e in entries)
  # torch would believe this suffix rather than the contents.
  mapped = stored and path.suffix != ".safetensors"
  with _quiet(), torch.serialization.safe_globals(list(_HARMLESS)):
    if mapped:
      return torch.load(path, "cpu", weights_only=True, mmap=True)
    return _load_file(torch, path)


def read_legacy(path: pathlib.Path) -> Any:
  """Reads files of torch.save before torch 1.6."""
  torch = _import_torch()
  with _quiet(), torch.serialization.safe_globals(list(_HARMLESS)):
    return _load_file(torch, path)


def read_script(path: pathlib.Path) -> Any:
  """Reads the tensors of files of torch.jit.save, as OpenAI's CLIP is.

  Of its code only `__setstate__` would run; a file with one is refused.
  """
  torch = _import_torch()
  with _quiet():
    # Found as torch.jit.load finds it; others may see another archive.
    reader = torch._C.PyTorchFileReader(str(path))
    for name in reader.get_all_records():
      code = name.lower().endswith(".py") and reader.get_record(name)
      if code and b"__setstate__" in code:
        raise CheckpointError(
          f"a TorchScript archive whose {name!r} would run code as it is read "
          "(__setstate__); it was not opened."
        )
    return torch.jit.load(path, map_location="cpu").state_dict()


def to_numpy(name: str, tensor: Any) -> np.ndarray:
  """Makes a NumPy array of a tensor, without a copy."""
  torch = _import_torch()
  size = tensor.numel() * tensor.element_size()
  try:
    if size > max(_SMALL, tensor.untyped_storage().nbytes()):
      raise CheckpointError(
        f"tensor {name!r} {tuple(tensor.shape)} promises {size} bytes and "
        f"holds {tensor.untyped_storage().nbytes()}."
      )
    tensor = tensor.detach()
    if tensor.dtype == torch.bfloat16:  # NumPy itself knows none.
      return tensor.view(torch.int16).numpy().view(jnp.bfloat16)
    return tensor.numpy()
  except (NotImplementedError, RuntimeError, TypeError):
    raise CheckpointError(
      f"tensor {name!r} is {tensor.dtype}, {tensor.layout} on {tensor.device}; "
      "allowed are dense tensors that NumPy or bfloat16 can hold."
    ) from None


def _import_torch() -> types.ModuleType:
  try:
    import torch
  except ImportError:
    raise CheckpointError(
      "written by torch, which is needed to read it: "
      "run `pip install '.[convert]'` in a copy of the repository."
    ) from None
  if torch.__version__ < _OLDEST_TORCH:
    raise CheckpointError(
      f"torch {torch.__version__} cannot read it safely; allowed are versions "
      f"from {_OLDEST_TORCH}: run `pip install -U torch`."
    )
  return torch


def _load_file(torch: types.ModuleType, path: pathlib.Path) -> Any:
  with path.open("rb") as file:
    return torch.load(file, "cpu", weights_only=True, mmap=False)


@contextmanager
def _quiet() -> Iterator[None]:
  """Silences torch's warnings and shortens its errors."""
  try:
    with warnings.catch_warnings():
      warnings.simplefilter("ignore")
      yield
  except pickle.UnpicklingError as error:
    raise CheckpointError(_refusal(str(error))) from None


def _refusal(message: str) -> str:
  named = re.search(r"GLOBAL (\S+)", message)
  if named:
    allowed = sorted({name for _, name in _HARMLESS})
    return (
      f"a pickle inside asks for {named[1]!r}, which could run code (nothing "
      f"was run); allowed, as well as tensors and plain values, are {allowed}."
    )
  reason = re.search(r"WeightsUnpickler error:\s*(.+)", message)
  reason = reason[1] if reason else message.split("\n")[0]
  return f"a pickle inside is damaged or not of tensors: {reason}"
