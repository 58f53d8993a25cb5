"""The client's cache: what enters it, and what a killed download leaves."""

import contextlib
import pathlib
import re

from temporal_jax.hub.address import Address
from temporal_jax.hub.client import HubError
from temporal_jax.hub.listing import Listing

# The client names a file by its ETag. The hub's are a sha1 or a sha256, mirrors
# may have others; shorter ones could be the same for different files.
_ETAG = re.compile(r"[\w-]{32,128}")
_PARTIAL = ".incomplete"


def is_cached(address: Address, commit: str, name: str) -> bool:
  """Whether a file of a commit is on this machine."""
  from huggingface_hub import try_to_load_from_cache

  found = try_to_load_from_cache(address.repository, name, revision=commit)
  return isinstance(found, str)


def check_answer(address: Address, listing: Listing, name: str) -> None:
  """Asks for the headers of a file, before the client makes paths of them.

  Args:
    address: The address.
    listing: Files of its commit.
    name: Path of the file in the repository.

  Raises:
    HubError: If its ETag or its commit cannot be the hub's; and see
      `client.naming`, within which it is called.
  """
  from huggingface_hub import get_hf_file_metadata, hf_hub_url

  url = hf_hub_url(address.repository, name, revision=listing.commit)
  found = get_hf_file_metadata(url)
  if not _ETAG.fullmatch(found.etag or ""):
    raise HubError(
      f"{address}: {name} has the ETag {found.etag!r:.60}; allowed are 32 to 128 "
      "letters, digits, - and _, since the cache names files by it."
    )
  if found.commit_hash != listing.commit:
    raise HubError(
      f"{address}: the listing is of commit {listing.commit[:12]}, and {name} of "
      f"{found.commit_hash!r:.60}: the server has to send X-Repo-Commit, and may "
      "have changed meanwhile: try again."
    )


def remove_partial(repository: str) -> None:
  """Removes what killed downloads of a repository left in the cache.

  The client gives each download its own file and never takes up another one's.
  It locks the name meanwhile, so that downloads in other processes are not
  touched.

  Args:
    repository: "org/name".
  """
  import filelock
  from huggingface_hub import constants, file_download

  cache = pathlib.Path(constants.HF_HUB_CACHE)
  name = file_download.repo_folder_name(repo_id=repository, repo_type="model")
  for path in (cache / name / "blobs").glob(f"*{_PARTIAL}"):
    lock = cache / ".locks" / name / f"{path.name.partition('.')[0]}.lock"
    # It stays if files cannot be locked.
    with contextlib.suppress(OSError, NotImplementedError, filelock.Timeout):
      lock.parent.mkdir(parents=True, exist_ok=True)
      with filelock.FileLock(lock, timeout=0, mode=0o664):
        path.unlink()
