import flax.linen as nn

from temporal_jax import layers
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "Chain": layer_example(
    layers.Chain, parts=(layers.TemporalShift, layers.TemporalAggregation)
  ),
}


class _Tell(nn.Module):
  def __call__(self, x, train=False):
    return x + 1, {self.name: x, "last": x, "train": train}


def test_what_all_parts_tell_is_kept_by_name():
  out, aux = layers.Chain((_Tell, _Tell)).apply({}, 3, train=True)
  assert out == 5
  assert aux == {"part1": 3, "part2": 4, "last": 4, "train": True}
