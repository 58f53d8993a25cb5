"""Any change of a listed file is found and named."""

import hashlib
import shutil
import subprocess

import pytest

from temporal_jax import storage


@pytest.fixture
def folder(tmp_path):
  (tmp_path / "sub").mkdir()
  (tmp_path / "a.txt").write_bytes(b"one")
  (tmp_path / "sub" / "b.bin").write_bytes(bytes(range(256)))
  (tmp_path / "empty").touch()
  storage.write_digests(tmp_path)
  return tmp_path


def test_the_list_is_that_of_sha256sum(folder):
  assert storage.read_digests(folder) == {
    "a.txt": hashlib.sha256(b"one").hexdigest(),
    "empty": hashlib.sha256(b"").hexdigest(),
    "sub/b.bin": hashlib.sha256(bytes(range(256))).hexdigest(),
  }
  assert storage.check_digests(folder)
  program = shutil.which("sha256sum")
  subprocess.run(
    [program, "--check", "--strict", storage.DIGESTS], cwd=folder, check=True
  )


def test_without_a_list_nothing_is_checked(tmp_path):
  (tmp_path / "a").touch()
  assert not storage.check_digests(tmp_path)


@pytest.mark.parametrize("name", ["a.txt", "sub/b.bin", "empty"])
@pytest.mark.parametrize("damage", ["longer", "flipped", "gone", "folder"])
def test_each_damage_is_named(folder, name, damage):
  file = folder / name
  content = file.read_bytes()
  if damage == "longer":
    file.write_bytes(content + b"\0")
  elif damage == "flipped":
    file.write_bytes(bytes([content[0] ^ 1]) + content[1:] if content else b"x")
  else:
    file.unlink()
    if damage == "folder":
      file.mkdir()
  words = "not there" if damage in ("gone", "folder") else "changed since"
  with pytest.raises(ValueError, match=rf"{name} is {words}"):
    storage.check_digests(folder)


@pytest.mark.parametrize(
  ("content", "words"),
  [
    (b"", "ends too early"),
    (b"00", "ends too early"),
    (b"\xff\xfe\n", "not UTF-8"),
    (b"0" * 63 + b"  a.txt\n", "line 1 is no sha256"),
    (b"0" * 64 + b"  /dev/zero\n", "line 1 is no sha256"),
    (b"0" * 64 + b"  ../a.txt\n", "line 1 is no sha256"),
    (
      b"0" * 64 + b"  a.txt\n",
      r"a.txt is changed since it was written, or its line in sha256sums.txt is\.",
    ),
    (
      b"0" * 64 + b"  e.txt\n",
      r"e.txt is not there, though sha256sums.txt lists it\.",
    ),
  ],
)
def test_a_damaged_list_is_named(folder, content, words):
  (folder / storage.DIGESTS).write_bytes(content)
  with pytest.raises(ValueError, match=words):
    storage.check_digests(folder)


def test_a_list_that_lost_its_end_is_damaged(folder):
  path = folder / storage.DIGESTS
  path.write_bytes(path.read_bytes()[:-1])
  with pytest.raises(ValueError, match="ends too early"):
    storage.check_digests(folder)
