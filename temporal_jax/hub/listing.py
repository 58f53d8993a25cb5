"""Files of a repository's commit: of the hub, or of an earlier download."""

import pathlib
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from absl import logging

from temporal_jax.hub.address import Address
from temporal_jax.hub.client import HubError, UnreachableError, naming, progress

COMMIT = re.compile(r"[0-9a-f]{40}")


class Listing(NamedTuple):
  """Files of a commit.

  Attributes:
    commit: Its hash.
    sizes: Bytes of each file by its path; None where they are not known.
    digests: Digest of each file's content as the hub states it: the sha256 of
      large files, and the sha1 of a git object of others; {} without the hub.
    is_cached: Whether these are the files on this machine, since the hub cannot
      be reached.
  """

  commit: str
  sizes: Mapping[str, int | None]
  digests: Mapping[str, str]
  is_cached: bool


def list_files(address: Address) -> Listing:
  """Returns the files of the address's revision.

  Raises:
    HubError: If there is no such repository or revision, the answer is not the
      hub's, or the hub cannot be reached and nothing is cached.
  """
  from huggingface_hub import HfApi

  try:
    with naming(address):
      info = HfApi().model_info(
        address.repository, revision=address.revision or None, files_metadata=True
      )
      files = info.siblings or ()
      sizes = {file.rfilename: file.size for file in files}
      digests = {
        file.rfilename: file.lfs.sha256 if file.lfs else file.blob_id or ""
        for file in files
      }
  except UnreachableError as error:
    return _list_cached(address, error)
  _check(address, info.sha, sizes, digests)
  return Listing(info.sha, sizes, digests, is_cached=False)


def _check(
  address: Address, commit: Any, sizes: Mapping[Any, Any], digests: Mapping[Any, Any]
) -> None:
  """Raises HubError at values that the hub never gives.

  The client makes names of files and folders of them.
  """
  if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
    raise HubError(
      f"{address}: the listing of the repository must have the hash of its commit "
      f'as "sha", 40 hexadecimal digits, got {commit!r:.60}.'
    )
  for name, size in sizes.items():
    if not isinstance(name, str) or not _is_inside(name):
      raise HubError(
        f"{address}: the repository lists {name!r:.60}; allowed are paths in it."
      )
    is_size = size is None or (type(size) is int and size >= 0)
    if not is_size or not isinstance(digests[name], str):
      raise HubError(
        f"{address}: the repository lists {name} with size {size!r:.30} and digest "
        f"{digests[name]!r:.60}; allowed are a number of bytes and a text."
      )


def _is_inside(name: str) -> bool:
  """Whether a path of a file is within its folder, on every system."""
  parts = name.split("/")
  return not {"", ".", ".."} & set(parts) and not re.search(r"[\\\0]|^\w:", name)


def _list_cached(address: Address, error: UnreachableError) -> Listing:
  """Returns the files of an earlier download.

  Raises:
    HubError: If there was none.
  """
  from huggingface_hub import constants, snapshot_download

  try:
    with naming(address), progress():
      folder = snapshot_download(
        address.repository,
        revision=address.revision or None,
        allow_patterns=[],  # Whatever is there; the caller looks for files.
        local_files_only=True,
      )
  except UnreachableError:
    why = f"{constants.ENDPOINT} cannot be reached ({error})"
    if constants.HF_HUB_OFFLINE:
      why = "HF_HUB_OFFLINE is set"
    raise HubError(
      f"{address}: {why}, and it is not in {constants.HF_HUB_CACHE}."
    ) from error
  if not constants.HF_HUB_OFFLINE:
    logging.warning(
      "%s: the hub cannot be reached (%s); an earlier download is taken.",
      address,
      str(error).rstrip("."),
    )
  root = pathlib.Path(folder)
  files = (path for path in root.rglob("*") if path.is_file())
  return Listing(
    root.name,
    {path.relative_to(root).as_posix(): path.stat().st_size for path in files},
    {},
    is_cached=True,
  )
