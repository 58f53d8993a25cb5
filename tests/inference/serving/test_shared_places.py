"""Places and turns of connections, without any connection."""

import dataclasses

import pytest

from temporal_jax.inference.serving.answer_turns import Turns
from temporal_jax.inference.serving.shared_places import Places, client_of


@dataclasses.dataclass(eq=False)
class _Holder:
  client: str = "a"
  rate: float = 0.0
  slow: bool = False
  late: bool = False  # Becomes fast in the last moment.
  stopped: bool = False

  def gives_way(self):
    return self.slow

  def stop(self):
    self.stopped = not self.late
    return self.stopped


def test_the_slowest_give_way():
  places = Places(total=10, per_client=10)
  holders = [_Holder(rate=rate, slow=True) for rate in (3, 1, 2)]
  for holder in holders:
    assert places.take(holder, 3)
  assert places.take(_Holder(), 1)
  assert not any(holder.stopped for holder in holders)
  assert places.take(_Holder(), 4)  # The two slowest have 6.
  assert [holder.stopped for holder in holders] == [False, True, True]
  places.give_back(holders[1])  # Again, by its own thread.
  assert places.take(_Holder(), 2)
  assert not holders[0].stopped


def test_nobody_is_ended_in_vain():
  places = Places(total=10, per_client=6)
  slow, fast = _Holder(rate=1, slow=True), _Holder(client="b")
  assert places.take(slow, 4)
  assert places.take(fast, 5)
  assert not places.take(_Holder(client="c"), 6)
  assert not places.take(_Holder(client="a"), 7)
  assert not slow.stopped
  assert places.take(_Holder(client="a"), 5)
  assert slow.stopped


def test_only_own_connections_give_way_to_more_than_a_share():
  places = Places(total=10, per_client=2)
  own, other = (_Holder(client=name, rate=1, slow=True) for name in "ab")
  assert places.take(own, 2)
  assert places.take(other, 2)
  assert places.take(_Holder(client="a"), 1)
  assert (own.stopped, other.stopped) == (True, False)


def test_one_that_became_fast_stays():
  places = Places(total=2, per_client=2)
  late = _Holder(slow=True, late=True)
  assert places.take(late, 2)
  assert not places.take(_Holder(), 1)
  late.slow = False
  places.give_back(late)
  assert places.take(_Holder(), 2)


@pytest.mark.parametrize(
  ("address", "client"),
  [
    ("192.0.2.1", "192.0.2.1"),
    ("::ffff:192.0.2.1", "192.0.2.1"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
    ("fe80::1%eth0", "fe80::/64"),
    ("::1", "::/64"),
  ],
)
def test_a_client_is_an_address_or_a_network(address, client):
  assert client_of(address) == client


def test_no_turn_after_the_end_or_in_vain():
  turns = Turns()
  with turns.turn(_Holder(), 0) as first:
    assert first
    with turns.turn(_Holder(), 0.01) as second:
      assert not second
    assert turns.is_busy
  assert not turns.is_busy
  turns.end(0)
  with turns.turn(_Holder(), 1) as third:
    assert not third
