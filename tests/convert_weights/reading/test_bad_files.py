"""Every bad file is one clear error, and nothing in it is run."""

import io
import os
import pathlib
import pickle
import random
import struct
import tarfile
import zipfile

import numpy as np
import pytest

from convert_weights.reading import CheckpointError, read
from tests.support.checkpoint_files import FORMATS, WEIGHTS, refused, save


def _header(text, data=b""):
  """A safetensors file with this header."""
  return struct.pack("<Q", len(text)) + text.encode() + data


def _tensor(name='"w"', shape="[2]", dtype="F32", end=8):
  return f'{name}:{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}}'


def _npz(**entries):
  file = io.BytesIO()
  with zipfile.ZipFile(file, "w") as archive:
    for name, data in entries.items():
      archive.writestr(f"{name}.npy", data)
  return file.getvalue()


def _npy(value, **kwargs):
  file = io.BytesIO()
  np.lib.format.write_array(file, np.asarray(value), **kwargs)
  return file.getvalue()


def _npy_header(shape, descr="<f4"):
  file = io.BytesIO()
  header = {"descr": descr, "fortran_order": False, "shape": shape}
  np.lib.format.write_array_header_1_0(file, header)
  return file.getvalue() + bytes(16)


def _promising(size):
  """A compressed entry that promises this many bytes."""
  file = io.BytesIO()
  with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("w.npy", _npy(np.zeros(9)))
  data = bytearray(file.getvalue())
  for magic, offset in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
    start = data.index(magic) + offset
    data[start : start + 4] = struct.pack("<I", size)
  return bytes(data)


def _zip(**files):
  file = io.BytesIO()
  with zipfile.ZipFile(file, "w") as archive:
    for name, text in files.items():
      archive.writestr(name, text)
  return file.getvalue()


def _twice():
  file = io.BytesIO()
  with zipfile.ZipFile(file, "w") as archive:
    for name in ("w.npy", "v.npy"):
      archive.writestr(name, _npy(np.zeros(2)))
  return file.getvalue().replace(b"v.npy", b"w.npy")


def _tar():
  file = io.BytesIO()
  with tarfile.open(fileobj=file, mode="w") as archive:
    archive.addfile(tarfile.TarInfo("storages"))
  return file.getvalue()


_BAD = {
  "empty": (b"", "empty"),
  "html": (b"\n<!DOCTYPE html><html>Quota exceeded", "web page"),
  "xml": (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "web page"),
  "lfs": (b"version https://git-lfs.github.com/spec/v1\noid", "git-lfs"),
  "text": ("poids: très légers\n".encode(), "a text file that begins"),
  "json": (b'{"name":{"dtype": "F32"}}', "a text file"),
  "latin text": ("très léger".encode("latin-1"), "a text file"),
  "cut text": (("x" * 1023 + "é").encode(), "a text file"),
  "png": (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG image"),
  "jpeg": (b"\xff\xd8\xff\xe0" + bytes(50), "a JPEG image"),
  "gzip": (b"\x1f\x8b\x08" + bytes(50), "gzip; unpack it"),
  "video": (bytes(3) + b"\x18ftypmp42" + bytes(50), "a video"),
  "tar": (_tar(), "a tar archive"),
  "npy": (_npy(np.zeros(2)), "without a name"),
  "bytes": (bytes(range(9, 256)), "begins with 09 0a 0b"),
  "few bytes": (b"\0", "begins with 00"),
  "pickle": (pickle.dumps({"w": 1}), "a pickle, which could run code"),
  "zip of others": (_zip(a="1", b="2", c="", d=""), "holds .* and more"),
  "zip of nothing": (_zip(), "holds nothing"),
  "zip twice": (_twice(), "two entries 'w.npy'"),
  "zip bomb": (_promising(2**32 - 2), "promises 4294967294"),
  "zip bomb inside": (_promising(2**20), "promises 72 bytes and holds"),
  "npz of text": (_npz(w=b"not an array"), "damaged"),
  "npz too small": (_npz(w=_npy_header((10**12,))), "promises 4000000000000"),
  "npz overflow": (_npz(w=_npy_header((2**62, 2**62))), "promises"),
  "npz negative": (_npz(w=_npy_header((-4,))), "promises"),
  "npz not all": (_npz(w=_npy(np.zeros(8))[:-8]), "promises 64 bytes .* 56"),
  "npz dates": (_npz(w=_npy(np.zeros(2, "M8[s]"))), "allowed are numbers"),
  "npz records": (_npz(w=_npy_header((2,), [("a", "<f4")])), "are numbers"),
  "npz version": (_npz(w=_npy(np.zeros(2), version=(3, 0))), "npy version"),
  "header long": (struct.pack("<Q", 2**40) + b"{", "a header of 1099511627776"),
  "header cut": (_header("{" + _tensor() + "}")[:20], "a header of"),
  "header no JSON": (_header("{" + "[" * 10**5), "damaged"),
  "header list": (_header('{"w":[]}'), "damaged"),
  "header alone": (_header("{}"), "no weights"),
  "data lacks": (_header("{" + _tensor() + "}", bytes(7)), "cut off"),
  "data beyond": (_header("{" + _tensor() + "}", bytes(9)), "cut off"),
  "data overflow": (
    _header("{" + _tensor(shape=f"[{2**40},{2**40}]") + "}", bytes(8)),
    "overflow",
  ),
  "dtype unknown": (_header("{" + _tensor(dtype="X") + "}", bytes(8)), "X"),
  "dtype of bytes": (
    _header("{" + _tensor(dtype="F8_E5M2", shape="[8]") + "}", bytes(8)),
    "F8_E5M2; allowed",
  ),
  "name twice": (
    _header("{" + _tensor() + "," + _tensor(dtype="I32") + "}", bytes(8)),
    "two entries 'w'",
  ),
}


@pytest.mark.parametrize("name", _BAD)
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_bad_file(tmp_path, name, suffix):
  data, match = _BAD[name]
  path = tmp_path / f"weights{suffix}"
  path.write_bytes(data)
  with pytest.raises(CheckpointError, match=match):
    read(path)
  refused(path)


def test_no_file(tmp_path):
  assert "no file" in refused(tmp_path / "missing.pt")
  assert "a directory" in refused(tmp_path)
  assert "no file" in refused(tmp_path / "nul\0.pt")
  os.mkfifo(tmp_path / "pipe")
  assert "no file" in refused(tmp_path / "pipe")  # It would wait for ever.


def test_no_permission(tmp_path, monkeypatch):
  path = save("npz", tmp_path / "a.npz")

  def refuse(*args):
    raise PermissionError(13, "Permission denied")

  # Roots may read everything.
  monkeypatch.setattr(pathlib.Path, "open", refuse)
  assert "Permission denied" in refused(path)


@pytest.mark.parametrize("form", FORMATS)
def test_cut_off(tmp_path, form):
  path = save(form, tmp_path / "whole")
  data = path.read_bytes()
  for length in [1, 4, 9, 30, *(len(data) * k // 8 for k in range(1, 8))]:
    path.write_bytes(data[:length])
    refused(path)
  path.write_bytes(data[:-1])
  refused(path)


@pytest.mark.parametrize("form", ["npz", "torch", "torchscript"])
def test_one_value_is_damaged(tmp_path, form):
  path = save(form, tmp_path / "whole")
  data = bytearray(path.read_bytes())
  data[data.index(WEIGHTS["head.weight"].tobytes()) + 5] ^= 1
  path.write_bytes(data)
  assert "Bad CRC-32" in refused(path)


@pytest.mark.parametrize("form", FORMATS)
def test_damage_is_an_error_or_harmless(tmp_path, form):
  path = save(form, tmp_path / "whole")
  data = path.read_bytes()
  generator = random.Random(0)
  for _ in range(60):
    damaged = bytearray(data)
    for at in generator.choices(range(len(data)), k=3):
      damaged[at] = generator.randrange(256)
    path.write_bytes(damaged)
    try:
      read(path)
    except CheckpointError:
      refused(path)
