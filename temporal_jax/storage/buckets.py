"""Files in buckets, gs:// and s3://, copied into the user's caches."""

import contextlib
import hashlib
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from temporal_jax.storage.atomic import whole_folder
from temporal_jax.storage.bucket_addresses import address_parts
from temporal_jax.storage.digests import check_digests
from temporal_jax.storage.user_caches import user_caches

if TYPE_CHECKING:
  import fsspec

# Package with fsspec's client for a scheme; extras have the schemes' names.
_CLIENTS: Mapping[str, str] = {"gs": "gcsfs", "s3": "s3fs"}


def fetch_file(address: str) -> pathlib.Path:
  """Returns the copy of a file of a bucket; an unchanged file is kept.

  Args:
    address: gs://bucket/path or s3://bucket/path.

  Raises:
    FileNotFoundError: If there is none.
    ImportError: If the client of the scheme is not installed.
    OSError: If the bucket cannot be read.
    ValueError: If the address has another form.
  """
  folder, _, name = address.rpartition("/")
  return fetch_folder(folder, lambda _: [name], only=name) / name


def fetch_folder(
  address: str,
  choose: Callable[[Sequence[str]], Sequence[str]],
  *,
  only: str | None = None,
) -> pathlib.Path:
  """Returns the folder of copies of files of a bucket.

  Files that have not changed since an earlier copy are not copied again. Copies
  are compared with the sizes in the bucket and, where they have a list
  sha256sums.txt, with that.

  Args:
    address: gs://bucket/path or s3://bucket/path.
    choose: Function from the paths of all files, from the folder, to those to
      copy.
    only: The file to look at; None is all under the folder.

  Raises:
    FileNotFoundError: If there is nothing of this address.
    ImportError: If the client of the scheme is not installed.
    OSError: If the bucket cannot be read.
    ValueError: If the address has another form, a copy differs from its size or
      digest, or see `choose`.
  """
  shown = f"{address}/{only}" if only is not None else address
  parts = address_parts(shown)
  with _naming(shown):
    files = _client(shown)
    files.invalidate_cache()  # It may have changed since an earlier call.
    root = files._strip_protocol(address).rstrip("/")
    if only is None:
      found = files.find(root, detail=True)
    else:
      info = files.info(f"{root}/{only}")
      found = {f"{root}/{only}": info} if info["type"] == "file" else {}
  # Consoles make an empty file "folder/" for a folder.
  inside = {
    path[len(root) + 1 :]: info
    for path, info in found.items()
    if path.startswith(f"{root}/") and not path.endswith("/")
  }
  if not inside:
    raise FileNotFoundError(f"{shown}: the bucket has no such file or folder.")
  names = list(choose(list(inside)))
  for name in names:
    address_parts(f"{address}/{name}")
  with _naming(shown):
    versions = [files.checksum(f"{root}/{name}") for name in names]
  version = hashlib.sha256(repr((names, versions)).encode()).hexdigest()[:16]
  place = user_caches(os.environ) / "temporal_jax" / "buckets"
  place = place.joinpath(*parts, version)
  if place.is_dir():
    return place
  with contextlib.suppress(FileExistsError), whole_folder(place) as partial:
    for name in names:
      copy = partial / name
      copy.parent.mkdir(parents=True, exist_ok=True)
      with _naming(shown):
        files.get_file(f"{root}/{name}", str(copy))
      if copy.stat().st_size != inside[name]["size"]:
        raise ValueError(
          f"{address}/{name}: {copy.stat().st_size} of {inside[name]['size']} bytes "
          "were copied; try again."
        )
    try:
      check_digests(partial)
    except ValueError as error:
      words = str(error).replace(f"{partial}{os.sep}", f"{address}/")
      raise ValueError(words) from None
  return place


def _client(address: str) -> "fsspec.AbstractFileSystem":
  """Returns the client of an address.

  Raises:
    ImportError: If it is not installed.
  """
  scheme = address.partition(":")[0]
  try:
    import fsspec

    return fsspec.filesystem(scheme)
  except ImportError:
    raise ImportError(
      f"{address} needs {_CLIENTS[scheme]}: run `pip install '.[{scheme}]'` in a copy "
      "of the repository."
    ) from None


@contextlib.contextmanager
def _naming(address: str) -> Iterator[None]:
  """Names the address in errors of a client.

  Raises:
    FileNotFoundError: If there is nothing of this address.
    OSError: For any other error.
  """
  try:
    yield
  except ImportError:
    raise
  except FileNotFoundError:
    raise FileNotFoundError(
      f"{address}: the bucket has no such file or folder."
    ) from None
  except Exception as error:  # Clients have errors of their own.
    words = (str(error).splitlines() or [""])[0].rstrip(".")
    raise OSError(
      f"{address} cannot be read: {type(error).__name__}: {words}."
    ) from error
