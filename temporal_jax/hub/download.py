"""Downloads the weights of a repository into the hub's cache."""

import contextlib
import functools
import hashlib
import os
import pathlib
import re
import shutil
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from temporal_jax.hub import weight_files
from temporal_jax.hub.address import Address, parse_address
from temporal_jax.hub.cache import check_answer, is_cached, remove_partial
from temporal_jax.hub.client import (
  HubError,
  UnreachableError,
  cache_error,
  import_client,
  naming,
  progress,
)
from temporal_jax.hub.listing import COMMIT, Listing, list_files

_NAMED = 5  # Files that a message names, at most.
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


def fetch(text: str) -> Snapshot:
  """Brings the weights of a repository to this machine.

  Only the files of one network are downloaded. Files that are there are not
  downloaded again; if the hub cannot be reached, has too many requests, or
  HF_HUB_OFFLINE is set, those of an earlier download are taken. The client's
  rules hold for its cache (HF_HOME), its server (HF_ENDPOINT) and its token
  (HF_TOKEN).

  Args:
    text: hf://org/name, with @revision and /file or /folder after it where
      needed.

  Raises:
    HubError: If there is no such repository, revision or file, it is gated, has
      no weights or several, an index lists a file that is not there, a file
      differs from the digest that the hub states, an answer is not the hub's,
      or the cache cannot be written.
    ImportError: If the extra "hub" is not installed.
    ValueError: See `parse_address`.
  """
  address = parse_address(text)
  import_client()
  try:
    return _fetch(address)
  except OSError as error:
    raise cache_error(address, error) from error


def _fetch(address: Address) -> Snapshot:
  """See `fetch`."""
  listing = list_files(address)
  pinned = address._replace(revision=listing.commit)
  if not listing.is_cached:
    remove_partial(address.repository)
  names = listing.sizes.keys()
  folder, inside = _folder(address, names)
  if weight_files.is_own(inside):
    files = [folder + name for name in weight_files.own_files(inside)]
    paths = _download(address, listing, files)
    return Snapshot(paths[files[0]].parent, pinned, is_own=True)
  file = address.file
  if file not in names:
    file = folder + _choose(address, listing, inside)
  others = weight_files.settings_of(file, names)
  paths = _download(address, listing, [*others, file])
  path = paths[file]
  if file.endswith(weight_files.INDEX_SUFFIX):
    _download(address, listing, _shards(address, listing, file, path))
  if file != address.file and path.name in weight_files.FOREIGN_WEIGHTS:
    path = path.parent
  return Snapshot(path, pinned, is_own=False)


def _folder(address: Address, names: Collection[str]) -> tuple[str, list[str]]:
  """Returns the folder that an address names, and the files in it.

  Returns:
    The folder's path, with "/" at its end; "" for the whole repository. The
    files' paths from it; none if the address names a file.

  Raises:
    HubError: If there is neither such a file nor such a folder.
  """
  if address.file in names:
    return "", []
  folder = f"{address.file}/" if address.file else ""
  inside = [name.removeprefix(folder) for name in names if name.startswith(folder)]
  if folder and not inside:
    raise HubError(
      f"{address}: there is no such file; the repository has {_some(names)}."
    )
  return folder, inside


def _choose(address: Address, listing: Listing, names: Collection[str]) -> str:
  """Returns the file of weights, or their index.

  Args:
    address: The address.
    listing: Files of its commit.
    names: Those in the folder of the address, by their paths from it.

  Raises:
    HubError: If there is none, or there are several.
  """
  found = weight_files.foreign_weights(names)
  where = "the folder" if address.file else "the repository"
  if not found:
    where = "what is cached of it" if listing.is_cached else where
    raise HubError(f"{address}: {where} has no weights, only {_some(names)}.")
  if len(found) > 1:
    raise HubError(
      f"{address}: {where} has {len(found)} files of weights, "
      f"{_some(found)}: write {address}/{found[0]} for one of them."
    )
  return found[0]


def _shards(
  address: Address, listing: Listing, name: str, index: pathlib.Path
) -> list[str]:
  """Returns the files that an index lists.

  Args:
    address: The address.
    listing: Files of its commit.
    name: Path of the index in the repository.
    index: The index on this machine.

  Raises:
    HubError: If it is damaged, or one of them does not exist.
  """
  try:
    places = weight_files.read_index(index)
  except ValueError as error:
    raise HubError(f"{address}: {error}") from None
  folder = pathlib.PurePosixPath(name).parent
  shards = [(folder / shard).as_posix() for shard in sorted(set(places.values()))]
  if missing := [shard for shard in shards if shard not in listing.sizes]:
    where = "this machine" if listing.is_cached else "the repository"
    raise HubError(
      f"{address}: {index.name} lists {len(shards)} files, and {where} lacks "
      f"{_some(missing)}."
    )
  return shards


def _download(
  address: Address, listing: Listing, names: Sequence[str]
) -> dict[str, pathlib.Path]:
  """Returns the paths of files on this machine, by their names.

  Raises:
    HubError: See `fetch`.
  """
  from huggingface_hub import constants, hf_hub_download

  missing = [name for name in names if not is_cached(address, listing.commit, name)]
  _check_space(address, listing, missing)
  paths = {}
  for name in names:
    try:
      with naming(address), progress():
        if name in missing and not listing.is_cached:
          check_answer(address, listing, name)
        path = hf_hub_download(
          address.repository,
          name,
          revision=listing.commit,
          local_files_only=listing.is_cached,
        )
    except UnreachableError as error:
      words = str(error).removesuffix(".")
      raise HubError(
        f"{address}: the download of {name} from {constants.ENDPOINT} broke off "
        f"({words}); the same command takes what is complete and goes on."
      ) from error
    paths[name] = pathlib.Path(path)
    _check_digest(address, name, paths[name], listing.digests.get(name, ""))
  if not listing.is_cached:
    _record_revision(address, listing, names[0])
  return paths


def _record_revision(address: Address, listing: Listing, name: str) -> None:
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


def _check_space(address: Address, listing: Listing, names: Sequence[str]) -> None:
  """Raises HubError if there is no space for files."""
  from huggingface_hub import constants

  needed = sum(listing.sizes[name] or 0 for name in names)
  place = pathlib.Path(constants.HF_HUB_CACHE).absolute()
  with contextlib.suppress(FileNotFoundError):
    place.stat()  # The client waits for ever for locks in impossible places.
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
  elif COMMIT.fullmatch(stated):
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
