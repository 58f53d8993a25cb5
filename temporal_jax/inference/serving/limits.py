"""Limits of the page's server: sizes, rates, times and connections."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Limits:
  """Limits of sizes, times and rates; times are in seconds.

  Attributes:
    max_bytes: Largest file in bytes.
    uploads: Number of largest files that fit on the disk: files being received,
      waiting or looked at have at most `uploads * max_bytes` bytes together.
    connections: Connections open at once.
    share: Part of the connections and of these bytes that one client address
      may hold, in (0, 1].
    head: Longest time for the request line and the headers.
    body: Longest time for a body, and for sending an answer.
    grace: Time over which `min_rate` is measured, again and again.
    min_rate: Bytes per second below which a body or an answer is ended. The
      slowest links that people send videos over, 3G uplinks, have 48,000.
    fair_rate: Bytes per second below which a body or an answer is ended when
      places are short and a new connection comes. With the defaults the largest
      file takes most of `body` at 700,000.
    turn: Longest wait of a received file for those before it, see `max_time` of
      `VideoAnswerer`.
    goodbye: Longest wait, after an answer, for the client to close.
    ending: Longest wait of the server's end for the video in hand.
  """

  max_bytes: int = 200_000_000
  uploads: int = 8
  connections: int = 64
  share: float = 0.5
  head: float = 10.0
  body: float = 300.0
  grace: float = 5.0
  min_rate: float = 20_000.0
  fair_rate: float = 500_000.0
  turn: float = 600.0
  goodbye: float = 2.0
  ending: float = 3.0

  def __post_init__(self) -> None:
    for name, value in dataclasses.asdict(self).items():
      if not value > 0:
        raise ValueError(f"{name} must be above 0, got {value}.")
    if self.share > 1:
      raise ValueError(f"share must be at most 1, got {self.share}.")

  @property
  def held_bytes(self) -> int:
    """Bytes of all files together."""
    return self.uploads * self.max_bytes

  @property
  def client_bytes(self) -> int:
    """Bytes of all files of a client: at least the largest file."""
    return max(self.max_bytes, int(self.share * self.held_bytes))

  @property
  def client_connections(self) -> int:
    """Connections of a client, at least 1."""
    return max(1, int(self.share * self.connections))
