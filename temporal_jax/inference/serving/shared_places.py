"""Limits the connections of each client, and shares them fairly."""

import ipaddress
import threading
from typing import Protocol

# A subscriber gets a whole /64 network of IPv6 addresses (RFC 6177).
_SUBSCRIBER_BITS = 64


class Holder(Protocol):
  """A connection that holds places.

  Attributes:
    client: Client that it belongs to, see `client_of`.
    rate: Bytes per second that pass it.
  """

  client: str
  rate: float

  def gives_way(self) -> bool:
    """Returns whether it is slow enough to lose its places to another."""

  def stop(self) -> bool:
    """Ends it if it still gives way; returns whether it was ended."""


class Places:
  """A bounded number of places. Safe to use from many threads.

  Where a new connection finds too few, the slowest ones that give way are
  ended in its favour.
  """

  def __init__(self, total: int, per_client: int):
    """Makes the places.

    Args:
      total: Places that all connections hold together.
      per_client: Places that the connections of one client hold together.
    """
    self._total, self._per_client = total, per_client
    self._lock = threading.Lock()
    self._held: dict[Holder, int] = {}

  def take(self, holder: Holder, count: int) -> bool:
    """Takes places for a connection that holds none.

    Args:
      holder: The connection.
      count: Places that it needs.

    Returns:
      Whether it got them; without them nothing was ended, except for
      connections that became faster in that moment.
    """
    with self._lock:
      own = [other for other in self._held if other.client == holder.client]
      for others, most in (
        (own, self._per_client),
        (list(self._held), self._total),
      ):
        if not self._make_room(others, most - count):
          return False
      self._held[holder] = count
      return True

  def give_back(self, holder: Holder) -> None:
    """Frees the places of a connection, if it still has any."""
    with self._lock:
      self._held.pop(holder, None)

  def _make_room(self, others: list[Holder], most: int) -> bool:
    """Ends slow connections until the others hold at most `most` places."""
    excess = sum(self._held.get(other, 0) for other in others) - most
    slow = [other for other in others if other in self._held and other.gives_way()]
    if excess > sum(self._held[other] for other in slow):
      return False
    for other in sorted(slow, key=lambda other: other.rate):
      if excess <= 0:
        break
      if other.stop():
        excess -= self._held.pop(other)
    return excess <= 0


def client_of(address: str) -> str:
  """Returns the client that an address belongs to.

  Args:
    address: IPv4 or IPv6 address.

  Returns:
    The address itself, without an IPv6 notation of IPv4; the network of 64 bits
    for other IPv6 addresses, since one subscriber has all its addresses.
  """
  parsed = ipaddress.ip_address(address.partition("%")[0])
  if isinstance(parsed, ipaddress.IPv4Address):
    return str(parsed)
  if parsed.ipv4_mapped:
    return str(parsed.ipv4_mapped)
  network = (int(parsed), _SUBSCRIBER_BITS)
  return str(ipaddress.IPv6Network(network, strict=False))
