"""What the page's server gives: the page, and answers for files, in turn."""

import dataclasses
import pathlib
import tempfile
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from temporal_jax.data.video.pictures import VideoError
from temporal_jax.inference.serving.page import load_page
from temporal_jax.inference.serving.request_checks import RequestError

# From the path of a video to what the page shows of it, see `VideoAnswerer`.
Answerer = Callable[[pathlib.Path], Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class Limits:
  """What the server takes. Times are in seconds.

  Attributes:
    max_bytes: Of a file.
    uploads: Files held at a time; they are answered one after the other.
    connections: Open at a time.
    pause: Time without a byte, of either end.
    head: Time for a request without its body.
    body: Time for a body.
    turn: Time that a file waits for those before it.
    goodbye: Time for an answer to be read before the connection is closed.
  """

  max_bytes: int = 200_000_000
  uploads: int = 4
  connections: int = 32
  pause: float = 10.0
  head: float = 10.0
  body: float = 300.0
  turn: float = 300.0
  goodbye: float = 2.0

  def __post_init__(self) -> None:
    for name, value in dataclasses.asdict(self).items():
      if value <= 0:
        raise ValueError(f"{name} must be above 0, got {value}.")


class Service:
  """The page, and answers for files, one after the other.

  Attributes:
    host: Name or address it is served at.
    limits: What is taken.
    page: What is served.
    folder: Where a file lies while it is looked at.
    uploads: Free places for files.
  """

  def __init__(
    self,
    answer: Answerer,
    *,
    host: str,
    limits: Limits,
    settings: Mapping[str, Any],
  ):
    """Makes the page and the folder; `close` removes the latter.

    Args:
      answer: See `PageServer`.
      host: Likewise.
      limits: Likewise.
      settings: See `load_page`.
    """
    self.host = host
    self.limits = limits
    self.page = load_page({**settings, "maxBytes": limits.max_bytes})
    self.uploads = threading.BoundedSemaphore(limits.uploads)
    self._turn = threading.Lock()
    self._ends = False
    self._answer = answer
    self._folder = tempfile.TemporaryDirectory(
      prefix="temporal_jax_serve_", ignore_cleanup_errors=True
    )
    self.folder = pathlib.Path(self._folder.name)

  @property
  def is_answering(self) -> bool:
    """Whether a video is looked at."""
    return self._turn.locked()

  def look_at(self, path: pathlib.Path) -> Mapping[str, Any]:
    """Returns the answer for a file, once those before it have theirs.

    Raises:
      RequestError: If it is no video that can be read, or has waited too long.
    """
    if not self._turn.acquire(timeout=self.limits.turn):
      raise busy()
    try:
      if self._ends:
        raise busy()
      return self._answer(path)
    except VideoError as error:
      raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
    finally:
      self._turn.release()

  def close(self) -> None:
    """Waits for the last answer and removes all files.

    A process that ends while a thread computes would crash.
    """
    if self._ends:
      return
    self._ends = True
    try:
      self._turn.acquire()
    finally:
      self._folder.cleanup()


def busy() -> RequestError:
  """Returns the answer where too much is asked for at once."""
  return RequestError(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "other videos are being looked at; try again in a moment.",
  )
