"""Finds a file's type from its first bytes; its name is not trusted."""

from convert_weights.reading.errors import CheckpointError

HEAD = 1024  # Bytes that identify a format.
ALLOWED = "safetensors, npz, and files of torch.save or torch.jit.save"

# The number with which torch's format before zip archives begins, as pickled.
_TORCH_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
# First bytes -> kind of a file that is often taken for a checkpoint.
_OTHERS = {
  b"\x89PNG": "a PNG image",
  b"\xff\xd8\xff": "a JPEG image",
  b"GIF8": "a GIF image",
  b"BM": "a BMP image",
  b"RIFF": "a WebP image or another RIFF file",
  b"%PDF": "a PDF document",
  b"\x1f\x8b": "compressed by gzip; unpack it first",
  b"BZh": "compressed by bzip2; unpack it first",
  b"\xfd7zXZ": "compressed by xz; unpack it first",
  b"\x28\xb5\x2f\xfd": "compressed by zstd; unpack it first",
  b"7z\xbc\xaf": "a 7z archive; unpack it first",
  b"Rar!": "a RAR archive; unpack it first",
  b"\x89HDF": "an HDF5 file",
  b"GGUF": "a GGUF file of llama.cpp",
  b"\x93NUMPY": "one NumPy array without a name",
}


def kind(head: bytes) -> str:
  """Returns a file's kind: "zip", "safetensors" or "legacy" (old torch).

  Args:
    head: Its first `HEAD` bytes.

  Raises:
    CheckpointError: If it is none of those; the message names its kind.
  """
  if not head:
    raise CheckpointError(f"the file is empty; allowed are {ALLOWED}.")
  if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
    return "zip"
  what = _text(head)
  # A header of JSON follows its length: eight bytes, zeros among them.
  if not what and head[8:9] == b"{":
    return "safetensors"
  if head[:1] == b"\x80" and _TORCH_MAGIC in head[:32]:
    return "legacy"
  raise CheckpointError(f"it is {what or _binary(head)}; allowed are {ALLOWED}.")


def _text(head: bytes) -> str:
  """Describes a text file; "" if it is none."""
  if any(byte < 32 and byte not in b"\t\n\f\r" for byte in head):
    return ""
  text = head.decode(errors="replace").lstrip("\ufeff \t\r\n")
  if text.startswith("<") or "<html" in text.lower():
    return "a web page (HTML or XML), as a failed download leaves it"
  if text.startswith("version https://git-lfs"):
    return "a pointer of git-lfs and not the file; run `git lfs pull`"
  return f"a text file that begins with {text[:30]!r}"


def _binary(head: bytes) -> str:
  if head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):
    return "a pickle, which could run code (it was not opened)"
  if head[257:262] == b"ustar":
    return "a tar archive; unpack it first"
  if head[4:8] == b"ftyp":
    return "a video"
  found = (name for first, name in _OTHERS.items() if head.startswith(first))
  return next(found, f"of no known kind, it begins with {head[:8].hex(' ')}")
