"""The rule's documented properties; the cases prove the numbers."""

import numpy as np
import pytest

from tests.golden.weights import draw_input, draw_weight


@pytest.mark.parametrize(
  ("name", "shape", "mean", "std"),
  [
    ("bn.running_var", (4000,), 1.0, 12**-0.5),
    ("bn.running_mean", (4000,), 0.0, 0.1),
    ("bn.weight", (4000,), 1.0, 0.1),
    ("fc.bias", (4000,), 0.0, 0.1),
    ("pos_embed", (1, 50, 80), 0.0, 0.1),
    ("text.token_embedding.weight", (50, 80), 0.0, 0.1),
    ("fc.weight", (40, 100), 0.0, 0.1),
    ("proj", (100, 40), 0.0, 0.1),
    ("b.weight", (1, 1, 10, 25, 4, 4), 0.0, 1 / 20),
    ("x.b_rf.b.weight", (40, 100), 0.0, 0.002),
    ("layers.ln1.weight", (1, 4000, 1), 1.0, 0.1),
  ],
)
def test_statistics(name, shape, mean, std):
  value = draw_weight(name, shape, "")
  assert value.dtype == np.float32
  assert value.shape == shape
  assert value.mean() == pytest.approx(mean, abs=4 * std / 4000**0.5)
  assert value.std() == pytest.approx(std, rel=0.06)


def test_names_and_salts_draw_apart():
  draws = [
    draw_weight("a.weight", (3, 3), ""),
    draw_weight("b.weight", (3, 3), ""),
    draw_weight("a.weight", (3, 3), "heldout"),
    draw_input("a.weight", (3, 3), ""),
  ]
  assert len({d.tobytes() for d in draws}) == 4


def test_counters_are_zero():
  counter = draw_weight("bn.num_batches_tracked", (), "")
  assert counter.dtype == np.int64
  assert counter == 0
