"""Downloads the weights of a repository into the hub's cache."""

import contextlib
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from absl import logging

from temporal_jax.hub import weight_files
from temporal_jax.hub.address import Address, parse_address
from temporal_jax.hub.client import (
  HubError,
  UnreachableError,
  import_client,
  naming,
  progress,
)

_NAMED = 5  # Files that a message names, at most.
_MAX_INDEX = 2**24  # Bytes of an index; one of 10,000 tensors has a million.
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PART = 2**20  # Bytes hashed at once.


class Snapshot(NamedTuple):
  """Weights of one commit of a repository, on this machine.

  Attributes:
    path: Their folder, or the file that the address or the repository names.
    address: The address, with the commit as its revision.
    is_own: Whether they are a network of this library.
  """

  path: pathlib.Path
  address: Address
  is_own: bool


class _Listing(NamedTuple):
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


def fetch(text: str) -> Snapshot:
  """Brings the weights of a repository to this machine.

  Only the files of one network are downloaded. Files that are there are not
  downloaded again; if the hub cannot be reached, or HF_HUB_OFFLINE is set,
  those of an earlier download are taken. The client's rules hold for its cache
  (HF_HOME), its server (HF_ENDPOINT) and its token (HF_TOKEN).

  Args:
    text: hf://org/name, with @revision and /file after it where needed.

  Raises:
    HubError: If there is no such repository, revision or file, it is gated, has
      no weights or several, an index lists a file that is not there, a file
      differs from the digest that the hub states, or no space is left.
    ImportError: If the extra "hub" is not installed.
    ValueError: See `parse_address`.
  """
  address = parse_address(text)
  import_client()
  listing = _list_files(address)
  pinned = address._replace(revision=listing.commit)
  names = listing.sizes.keys()
  if not address.file and weight_files.is_own(names):
    paths = _download(address, listing, weight_files.own_files(names))
    return Snapshot(paths[weight_files.DESCRIPTION].parent, pinned, is_own=True)
  file = _choose(address, listing)
  others = weight_files.settings_of(file, names)
  paths = _download(address, listing, [*others, file])
  path = paths[file]
  if file.endswith(weight_files.INDEX_SUFFIX):
    _download(address, listing, _shards(address, listing, path))
  if not address.file and file in weight_files.FOREIGN_WEIGHTS:
    path = path.parent
  return Snapshot(path, pinned, is_own=False)


def _list_files(address: Address) -> _Listing:
  """Returns the files of the address's revision."""
  from huggingface_hub import HfApi

  try:
    with naming(address):
      info = HfApi().model_info(
        address.repository, revision=address.revision or None, files_metadata=True
      )
  except UnreachableError as error:
    return _list_cached(address, error)
  files = info.siblings or ()
  sizes = {file.rfilename: file.size for file in files}
  digests = {
    file.rfilename: file.lfs.sha256 if file.lfs else file.blob_id or ""
    for file in files
  }
  return _Listing(info.sha, sizes, digests, is_cached=False)


def _list_cached(address: Address, error: UnreachableError) -> _Listing:
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
        allow_patterns=[],  # Whatever is there; it is checked below.
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
      "%s: the hub cannot be reached; an earlier download is taken.", address
    )
  root = pathlib.Path(folder)
  files = (path for path in root.rglob("*") if path.is_file())
  return _Listing(
    root.name,
    {path.relative_to(root).as_posix(): path.stat().st_size for path in files},
    {},
    is_cached=True,
  )


def _choose(address: Address, listing: _Listing) -> str:
  """Returns the file of weights, or their index.

  Raises:
    HubError: If there is none, or there are several.
  """
  names = listing.sizes.keys()
  if address.file:
    if address.file in names:
      return address.file
    raise HubError(
      f"{address}: there is no such file; the repository has {_some(names)}."
    )
  found = weight_files.foreign_weights(names)
  if not found:
    where = "what is cached of it" if listing.is_cached else "the repository"
    raise HubError(f"{address}: {where} has no weights, only {_some(names)}.")
  if len(found) > 1:
    raise HubError(
      f"{address}: the repository has {len(found)} files of weights, "
      f"{_some(found)}: write {address}/{found[0]} for one of them."
    )
  return found[0]


def _shards(address: Address, listing: _Listing, index: pathlib.Path) -> list[str]:
  """Returns the files that an index lists.

  Raises:
    HubError: If it is damaged, or one of them does not exist.
  """
  content: Any = None
  if index.stat().st_size <= _MAX_INDEX:
    try:
      content = json.loads(index.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
      content = None
  places = content.get("weight_map") if isinstance(content, dict) else None
  if not isinstance(places, dict) or not all(
    isinstance(name, str) for name in places.values()
  ):
    raise HubError(
      f'{address}: {index.name} must hold an object "weight_map" of names of files.'
    )
  folder = index.relative_to(_root(index, listing)).parent
  shards = [(folder / name).as_posix() for name in sorted(set(places.values()))]
  if missing := [name for name in shards if name not in listing.sizes]:
    where = "this machine" if listing.is_cached else "the repository"
    raise HubError(
      f"{address}: {index.name} lists {len(shards)} files, and {where} lacks "
      f"{_some(missing)}."
    )
  return shards


def _root(path: pathlib.Path, listing: _Listing) -> pathlib.Path:
  """Returns the folder of the commit that a file is in."""
  return next(parent for parent in path.parents if parent.name == listing.commit)


def _download(
  address: Address, listing: _Listing, names: Sequence[str]
) -> dict[str, pathlib.Path]:
  """Returns the paths of files on this machine, by their names.

  Raises:
    HubError: See `fetch`.
  """
  from huggingface_hub import constants, hf_hub_download

  _check_space(address, listing, names)
  paths = {}
  for name in names:
    try:
      with naming(address), progress():
        path = hf_hub_download(
          address.repository,
          name,
          revision=listing.commit,
          local_files_only=listing.is_cached,
        )
    except UnreachableError as error:
      raise HubError(
        f"{address}: the download of {name} from {constants.ENDPOINT} broke off "
        f"({error}) The same command takes what is complete and goes on."
      ) from error
    paths[name] = pathlib.Path(path)
    _check_digest(address, name, paths[name], listing.digests.get(name, ""))
  if not listing.is_cached:
    _record_revision(address, listing, names[0])
  return paths


def _record_revision(address: Address, listing: _Listing, name: str) -> None:
  """Lets the cache know the commit of a branch, for times without the hub.

  Args:
    address: The address.
    listing: Files of its commit.
    name: A file that was downloaded.
  """
  from huggingface_hub import hf_hub_download, try_to_load_from_cache

  find = functools.partial(try_to_load_from_cache, address.repository, name)
  revision = address.revision or "main"
  if find(revision=revision) == find(revision=listing.commit):
    return
  with contextlib.suppress(HubError, UnreachableError), naming(address):
    hf_hub_download(address.repository, name, revision=revision)


def _check_space(address: Address, listing: _Listing, names: Sequence[str]) -> None:
  """Raises HubError if there is no space for the files that are missing."""
  from huggingface_hub import constants, try_to_load_from_cache

  needed = sum(
    listing.sizes[name] or 0
    for name in names
    if not isinstance(
      try_to_load_from_cache(address.repository, name, revision=listing.commit), str
    )
  )
  place = pathlib.Path(constants.HF_HUB_CACHE).absolute()
  place = next(folder for folder in (place, *place.parents) if folder.is_dir())
  free = shutil.disk_usage(place).free
  if needed > free:
    raise HubError(
      f"{address}: {needed / 1e9:.2f} GB are needed, and {free / 1e9:.2f} GB are free "
      f"in {constants.HF_HUB_CACHE}; HF_HOME names another folder."
    )


def _check_digest(address: Address, name: str, path: pathlib.Path, stated: str) -> None:
  """Compares a file with its digest; one that differs is removed.

  Without the hub the digest is the name of the file that the cache links to.
  Servers that state something else than a sha256 or a git object's sha1, and
  caches without links that cannot reach the hub, leave nothing to compare.

  Args:
    address: The address.
    name: The file's path in the repository.
    path: The file on this machine.
    stated: Digest that the hub states; "" for none.

  Raises:
    HubError: If it differs.
  """
  content = path.parent / os.readlink(path) if path.is_symlink() else path
  stated = stated or content.name
  if _SHA256.fullmatch(stated):
    digest = hashlib.sha256()
  elif _COMMIT.fullmatch(stated):
    digest = hashlib.sha1(f"blob {content.stat().st_size}\0".encode())
  else:
    return
  with content.open("rb") as file:
    while part := file.read(_PART):
      digest.update(part)
  if digest.hexdigest() == stated:
    return
  path.unlink()
  if content != path and content.parent.name == "blobs":
    content.unlink()
  raise HubError(
    f"{address}: {name} has another digest than the hub states, "
    f"{digest.hexdigest()[:12]} instead of {stated[:12]}, and was removed: try again."
  )


def _some(names: Any) -> str:
  """Returns the first of some names, in words."""
  names = sorted(names)
  more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
  return f"{', '.join(names[:_NAMED]) or 'nothing'}{more}"
