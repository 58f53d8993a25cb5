"""Checkpoints of every format in, equal arrays out."""

import pathlib
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy
import torch

from convert_weights.reading import CheckpointError, read
from tests.support.checkpoint_files import (
  FORMATS,
  WEIGHTS,
  assert_equal,
  save,
)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("suffix", ["pt", "pth.tar", "npz", "safetensors"])
def test_contents_tell_the_format(tmp_path, form, suffix):
  path = save(form, tmp_path / f"weights.{suffix}")
  checkpoint = read(str(path))
  assert_equal(checkpoint.tensors, WEIGHTS)
  assert checkpoint.path == path
  assert checkpoint.format == form
  assert not checkpoint.wrapper
  assert not checkpoint.ignored
  assert not checkpoint.others


@pytest.mark.parametrize("form", ["safetensors", "torch"])
def test_large_arrays_lie_in_the_file(tmp_path, form):
  path = save(form, tmp_path / "weights")
  tensors = read(path).tensors
  for array in tensors.values():
    assert not array.flags.owndata
    assert not array.flags.writeable

  maps = pathlib.Path("/proc/self/maps")
  if maps.exists():
    assert str(path) in maps.read_text()


def test_npz_is_held_once(tmp_path):
  np.savez(tmp_path / "a.npz", v=np.ones(2**20), w=np.ones(2**20))
  tracemalloc.start()
  read(tmp_path / "a.npz")
  peak = tracemalloc.get_traced_memory()[1]
  tracemalloc.stop()
  assert peak < 1.1 * 2**24


@pytest.mark.parametrize("length", [60, 64, 15392, 8224, 640])
def test_safetensors_header_of_any_length(tmp_path, length):
  """Its length begins as a page, a text or a pickle may."""
  entry = '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
  header = entry.ljust(length).encode()
  data = struct.pack("<Q", length) + header + struct.pack("<f", 2)
  (tmp_path / "a").write_bytes(data)
  assert_equal(read(tmp_path / "a").tensors, {"w": np.array([2], np.float32)})


@pytest.mark.parametrize("form", ["safetensors", "torch"])
def test_bfloat16(tmp_path, form):
  values = np.array([1.5, -3, 0], jnp.bfloat16)
  path = tmp_path / "weights"
  if form == "torch":
    torch.save({"w": torch.tensor([1.5, -3, 0], dtype=torch.bfloat16)}, path)
  else:
    safetensors.numpy.save_file({"w": values}, path)
  assert_equal(read(path).tensors, {"w": values})


def test_strided_parameters(tmp_path):
  weight = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3).T)
  torch.save({"w": weight, "same": weight}, tmp_path / "a.pt")
  expected = np.arange(6, dtype=np.float32).reshape(2, 3).T
  assert_equal(read(tmp_path / "a.pt").tensors, {"w": expected, "same": expected})


def test_compressed_torch_archive(tmp_path):
  """Such a one cannot be mapped: its bytes are not those of the tensors."""
  path, packed = save("torch", tmp_path / "a.pt"), tmp_path / "packed.pt"
  with (
    zipfile.ZipFile(path) as plain,
    zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
  ):
    for name in plain.namelist():
      archive.writestr(name, plain.read(name))
  assert_equal(read(packed).tensors, WEIGHTS)


def test_torch_archive_without_sums(tmp_path):
  torch.serialization.set_crc32_options(False)
  try:
    path = save("torch", tmp_path / "a.pt")
  finally:
    torch.serialization.set_crc32_options(True)
  assert_equal(read(path).tensors, WEIGHTS)


def test_words_and_byte_order_in_npz(tmp_path):
  swapped = WEIGHTS["head.weight"].astype(">f4")
  np.savez_compressed(tmp_path / "a", w=swapped, note=np.array("hello"))
  checkpoint = read(tmp_path / "a.npz")
  assert_equal(checkpoint.tensors, {"w": WEIGHTS["head.weight"]})
  assert checkpoint.ignored == ("note",)


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
    assert "pip install '.[convert]'" in str(error)
  else:
    raise SystemExit(name)
"""


def test_without_torch(tmp_path):
  for form in FORMATS:
    save(form, tmp_path / form)
  code = _WITHOUT_TORCH.replace("{FOLDER}", str(tmp_path))
  root = pathlib.Path(__file__).parents[3]
  subprocess.run([sys.executable, "-c", code], cwd=root, check=True)


def test_old_torch_is_not_used(tmp_path, monkeypatch):
  path = save("torch", tmp_path / "a.pt")
  version = torch.torch_version.TorchVersion("2.9.1")
  monkeypatch.setattr(torch, "__version__", version)
  with pytest.raises(CheckpointError, match=r"torch 2\.9\.1 cannot .* 2\.10"):
    read(path)
