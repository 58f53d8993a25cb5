import flax.linen as nn
import pytest

from temporal_jax import layers
from temporal_jax.models import Temporal


class _Add(nn.Module):
  """Adds a number and tells so."""

  value: int = 1

  def __call__(self, x, train=False):
    return x + self.value, {self.name: train}


class _Double(nn.Module):
  """Doubles."""

  def __call__(self, x, train=False):
    return 2 * x, {}


def _only(block):
  return lambda stage, other: other == block


def _run(factory, x):
  return factory(name="slot").apply({}, x, train=True)


def test_a_second_operator_has_its_own_places():
  temporal = Temporal(
    block_input=_Add,
    where=_only(1),
    followed_by=Temporal(block_input=_Double, mlp_input=_Double, where=_only(2)),
  )
  assert temporal.filled() == {"block_input", "mlp_input"}
  assert temporal.at(0, 0).filled() == set()
  assert temporal.at(0, 1) == Temporal(block_input=_Add)
  assert temporal.at(0, 2) == Temporal(block_input=_Double, mlp_input=_Double)


def test_where_both_are_the_second_follows_the_first():
  temporal = Temporal(block_input=_Add, followed_by=Temporal(block_input=_Double))
  out, aux = _run(temporal.at(0, 0).block_input, 3)
  assert out == 8
  assert aux == {"part1": True}
  three = Temporal(block_input=_Double, followed_by=temporal)
  assert _run(three.at(0, 0).block_input, 3)[0] == 14


def test_only_slots_of_the_stream_are_shared():
  temporal = Temporal(attention=_Add, followed_by=Temporal(attention=_Double))
  with pytest.raises(ValueError, match="'attention' is filled twice"):
    temporal.at(0, 0)
  apart = Temporal(
    attention=_Add,
    where=_only(0),
    followed_by=Temporal(attention=_Double, where=_only(1)),
  )
  assert apart.at(0, 0).attention is _Add
  assert apart.at(0, 1).attention is _Double


def test_foreign_slots_of_a_second_operator_are_refused():
  temporal = Temporal(block_input=_Add, followed_by=Temporal(convolution=_Add))
  with pytest.raises(ValueError, match=r"not \['convolution'\]"):
    temporal.check("Backbone", {"block_input"})


def test_chain_keeps_the_order():
  assert layers.Chain((_Double, _Add)).apply({}, 3)[0] == 7
  assert layers.Chain((_Add, _Double)).apply({}, 3)[0] == 8
  assert layers.Chain(()).apply({}, 3) == (3, {})
