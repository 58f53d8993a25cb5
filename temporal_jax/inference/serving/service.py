"""HTTP service of the page and its answers, independent of the network."""

import contextlib
import pathlib
import threading
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from temporal_jax.data.video.pictures import VideoError
from temporal_jax.inference.serving.access import Access
from temporal_jax.inference.serving.answer_turns import Turns
from temporal_jax.inference.serving.connection import Connection
from temporal_jax.inference.serving.limits import Limits
from temporal_jax.inference.serving.page import load_page
from temporal_jax.inference.serving.request_checks import RequestError
from temporal_jax.inference.serving.sample import SampleClip
from temporal_jax.inference.serving.shared_places import Places
from temporal_jax.inference.serving.upload_folder import UploadFolder

# From the path of a video to the page's answer, see `VideoAnswerer`.
Answerer = Callable[[pathlib.Path], Mapping[str, Any]]


class Service:
  """The page, and answers for files, one after the other.

  Attributes:
    host: Name or address it is served at.
    access: Check of the token.
    limits: Limits of requests.
    page: The page.
    sample: A clip to try the page with, None if there is none. It is filmed
      once, see `sample_content`.
    folder: Folder of files that are received or looked at.
    has_ended: Whether `close` was called.
  """

  def __init__(
    self,
    answer: Answerer,
    *,
    host: str,
    token: str,
    limits: Limits,
    settings: Mapping[str, Any],
    sample: SampleClip | None,
  ):
    """Makes the page and the folder; `close` removes the latter.

    Args:
      answer: See `PageServer`.
      host: See `PageServer`.
      token: See `PageServer`.
      limits: See `PageServer`.
      settings: See `load_page`.
      sample: See `PageServer`.
    """
    self.host = host
    self.access = Access(host, token)
    self.limits = limits
    self.sample = sample
    settings = {**settings, "maxBytes": limits.max_bytes}
    if sample is not None:
      settings["sample"] = {"name": sample.name, "about": sample.about}
    self.page = load_page(settings)
    self._filming = threading.Lock()
    self.has_ended = False
    self._answer = answer
    self._disk = Places(limits.held_bytes, limits.client_bytes)
    self._turns = Turns()
    self._folder = UploadFolder()
    self.folder = self._folder.path

  @property
  def is_answering(self) -> bool:
    """Whether a video is looked at."""
    return self._turns.is_busy

  def sample_content(self) -> bytes:
    """Returns the file of the sample clip.

    Raises:
      RequestError: If there is none.
    """
    if self.sample is None:
      raise RequestError(HTTPStatus.NOT_FOUND, "there is no sample clip.")
    with self._filming:
      return self.sample.content

  @contextlib.contextmanager
  def room(self, connection: Connection, length: int) -> Iterator[None]:
    """Reserves the disk for a file, as long as the with block runs.

    Args:
      connection: Connection that it comes from.
      length: Bytes of the file.

    Raises:
      RequestError: If other files need the room.
    """
    if not self._disk.take(connection, length):
      raise _busy()
    try:
      yield
    finally:
      self._disk.give_back(connection)

  def look_at(self, path: pathlib.Path, connection: Connection) -> Mapping[str, Any]:
    """Returns the answer for a file, once those before it have theirs.

    Args:
      path: The file.
      connection: Connection that waits for the answer.

    Raises:
      ConnectionAbortedError: If the client has left when its turn comes.
      RequestError: If it is no video that can be read, or has waited too long.
    """
    connection.begin_work()
    with self._turns.turn(connection, self.limits.turn) as granted:
      if not granted:
        raise _busy()
      if not connection.is_open():
        raise ConnectionAbortedError
      try:
        return self._answer(path)
      except VideoError as error:
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error

  def close(self) -> None:
    """Waits `Limits.ending` for the last answer and removes all files."""
    if self.has_ended:
      return
    self.has_ended = True
    try:
      self._turns.end(self.limits.ending)
    finally:
      self._folder.remove()


def _busy() -> RequestError:
  """Returns the answer where too much is asked for at once."""
  return RequestError(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "other videos are being looked at; try again in a moment.",
  )
