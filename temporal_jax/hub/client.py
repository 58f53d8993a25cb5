"""The client of the hub, huggingface_hub, and its errors as sentences."""

import contextlib
import errno
import socket
import sys
from collections.abc import Iterator

from temporal_jax.hub.address import Address

_LONGEST_REASON = 200  # Characters of another library's error.
# Disk full, quota exceeded.
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_UNREACHABLE = (ConnectionError, TimeoutError, socket.gaierror)
# Errors that parsing an answer raises if it is not the hub's.
_PARSING = (AttributeError, LookupError, TypeError, ValueError)
_NOT_NOW = (408, 429)  # Time is over, too many requests.


class HubError(ValueError):
  """A repository that cannot be read or written; the message has the reason."""


class UnreachableError(Exception):
  """The hub does not answer, or not now; what is cached may be used."""


def import_client() -> None:
  """Imports huggingface_hub.

  Raises:
    ImportError: If the extra "hub" is not installed.
  """
  try:
    import huggingface_hub  # noqa: F401
  except ImportError:
    raise ImportError(
      "addresses hf://... need huggingface_hub: run `pip install '.[hub]'` in a copy "
      "of the repository."
    ) from None


@contextlib.contextmanager
def naming(address: Address) -> Iterator[None]:
  """Turns errors of the client into one sentence that begins with the address.

  Args:
    address: The repository that is read or written.

  Raises:
    HubError: If the hub refuses.
    UnreachableError: If it does not answer, has too many requests, or the
      client is offline.
  """
  import_client()
  from huggingface_hub import constants, errors, get_token

  token = get_token() or ""
  if not (token.isascii() and token.isprintable()):
    raise HubError(
      f"{address}: the token, of HF_TOKEN or `hf auth login`, has characters that "
      "no token has."
    )
  page = f"{constants.ENDPOINT}/{address.repository}"
  log_in = "log in by `hf auth login` or set HF_TOKEN"
  try:
    yield
  except (HubError, UnreachableError):
    raise
  except errors.GatedRepoError as error:
    raise HubError(
      f"{address} is gated: accept its licence on {page}, and {log_in}."
    ) from error
  except errors.RevisionNotFoundError as error:
    raise HubError(
      f"{address}: the repository has no revision {address.revision!r}, or has it "
      f"no more; see {page}/commits/main."
    ) from error
  except errors.RepositoryNotFoundError as error:
    raise HubError(
      f"{address}: there is no such repository at {constants.ENDPOINT}, or it "
      f"is private: then {log_in}."
    ) from error
  except errors.HFValidationError as error:
    raise HubError(f"{address}: {_reason(error)}") from error
  except errors.RemoteEntryNotFoundError as error:
    raise HubError(
      f"{address}: a file that the repository lists is not there: {_reason(error)}"
    ) from error
  except errors.HfHubHTTPError as error:
    status = getattr(error.response, "status_code", 0)
    if status >= 500 or status in _NOT_NOW:
      raise UnreachableError(f"status {status} of {page}") from error
    raise HubError(
      f"{address}: the hub refuses, with status {status}: {_reason(error)}"
      + (f" If a token is needed, {log_in}." if status in (401, 403) else "")
    ) from error
  except errors.LocalEntryNotFoundError as error:
    raise UnreachableError(_reason(error)) from error
  except OSError as error:
    if isinstance(error, _UNREACHABLE) or error.errno is None:
      raise UnreachableError(_reason(error)) from error
    raise cache_error(address, error) from error
  except RuntimeError as error:  # An upload of a file, whose cause has the reason.
    reason = _reason(error.__cause__ or error)
    raise HubError(f"{address}: {_reason(error)[:-1]}: {reason}") from error
  # The HTTP library differs between versions; its errors have no common base
  # with Python's.
  except Exception as error:
    if type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "requests"):
      raise UnreachableError(_reason(error)) from error
    if isinstance(error, _PARSING):
      raise HubError(
        f"{address}: an answer of {constants.ENDPOINT} is not the hub's: "
        f"{type(error).__name__}: {_reason(error)}"
      ) from error
    raise


def cache_error(address: Address, error: OSError) -> HubError:
  """Returns the error of a cache that cannot be read or written."""
  from huggingface_hub import constants

  home = f"{constants.HF_HUB_CACHE}; HF_HOME names another folder."
  if error.errno in _NO_SPACE:
    return HubError(f"{address}: no space is left in {home}")
  return HubError(f"{address}: {_reason(error)[:-1]}, in the cache {home}")


@contextlib.contextmanager
def progress() -> Iterator[None]:
  """Lets the client draw its progress only where stderr is a terminal."""
  from huggingface_hub import utils

  if sys.stderr.isatty() or utils.are_progress_bars_disabled():
    yield
    return
  utils.disable_progress_bars()
  try:
    yield
  finally:
    utils.enable_progress_bars()


def _reason(error: BaseException) -> str:
  """Returns the first words of an error, as a sentence."""
  words = " ".join(str(error).split()) or type(error).__name__
  return words[:_LONGEST_REASON].rstrip(".") + "."
