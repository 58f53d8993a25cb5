"""Addresses of files in buckets: gs://bucket/path and s3://bucket/path."""

import os
import re
from typing import Any

_ADDRESS = re.compile(r"(gs|s3)://(?P<path>[^\0]*)")
_MADE_A_PATH = re.compile(r"(gs|s3):/+")  # pathlib leaves one slash.


def is_in_bucket(name: Any) -> bool:
  """Whether a name is an address gs://... or s3://..., rather than a path."""
  return isinstance(name, str) and bool(_ADDRESS.fullmatch(name))


def address_parts(address: str) -> list[str]:
  """Returns the scheme, the bucket and the parts of the path of an address.

  Raises:
    ValueError: If it has another form.
  """
  match = _ADDRESS.fullmatch(address)
  parts = match["path"].rstrip("/").split("/") if match else []
  if len(parts) < 2 or {"", ".", ".."} & set(parts):
    raise ValueError(
      f"{address} must have the form gs://bucket/path or s3://bucket/path, with no "
      "empty part and no '..'."
    )
  return [match[1], *parts]


def refuse_bucket(path: str | os.PathLike, what: str) -> None:
  """Raises ValueError if a path that must be on this machine is in a bucket.

  Args:
    path: The path, or an address that pathlib took for one.
    what: Name of the setting, for the message.
  """
  if match := _MADE_A_PATH.match(os.fsdecode(path)):
    address = f"{match[1]}://{os.fsdecode(path)[match.end() :]}"
    raise ValueError(
      f"{what} {address} must be on this machine: mount the bucket "
      "(gcsfuse, mount-s3) and give the folder, or copy what is needed; only lists "
      "and networks are read from gs:// and s3://."
    )
