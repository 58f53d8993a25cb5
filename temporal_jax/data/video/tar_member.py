"""A video in a tar file, read by its place in it."""

import dataclasses
import os

from temporal_jax.data.listing.regular_files import open_regular
from temporal_jax.data.video.pictures import VideoError, reason


@dataclasses.dataclass(frozen=True, order=True, slots=True)
class Shard:
  """A tar file at the time when its members were listed.

  Attributes:
    path: The file.
    num_bytes: Its size.
    mtime_ns: Time of its last change, in ns.
  """

  path: str
  num_bytes: int
  mtime_ns: int


@dataclasses.dataclass(frozen=True, order=True, slots=True)
class TarMember:
  """A file in a shard.

  Attributes:
    shard: The shard.
    offset: Place of its first byte in the shard.
    num_bytes: Its size.
  """

  shard: Shard
  offset: int
  num_bytes: int

  def read(self, count: int | None = None) -> bytes:
    """Returns its first `count` bytes; nothing else of the shard is read.

    Args:
      count: Bytes at most; None is all of them.

    Raises:
      VideoError: If the shard cannot be read, or has changed since it was
        listed, so that the place may be another file's.
    """
    try:
      with open_regular(self.shard.path) as file:
        status = os.fstat(file.fileno())
        found = Shard(self.shard.path, status.st_size, status.st_mtime_ns)
        if found != self.shard:
          raise VideoError(
            f"the shard {self.shard.path} has changed since it was listed"
          )
        file.seek(self.offset)
        wanted = min(self.num_bytes, self.num_bytes if count is None else count)
        content = file.read(wanted)
    except OSError as error:
      raise VideoError(f"the shard {self.shard.path}: {reason(error)}") from error
    if len(content) < wanted:
      raise VideoError(
        f"the shard {self.shard.path} ends after {len(content)} of {wanted} bytes of "
        "the video"
      )
    return content
