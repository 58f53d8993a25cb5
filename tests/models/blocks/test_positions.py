import numpy as np
import pytest
import torch

from temporal_jax.models.blocks import positions


@pytest.mark.parametrize("leading", [0, 1])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("grid", [(3, 5), (4, 4), (9, 7)])
def test_a_grid_is_resized_as_torch_does(leading, antialias, grid):
  table = np.random.default_rng(0).standard_normal((leading + 49, 6), np.float32)
  got = positions.fit_grid(table, grid, antialias=antialias)
  maps = torch.tensor(table[leading:]).reshape(1, 7, 7, 6).permute(0, 3, 1, 2)
  want = torch.nn.functional.interpolate(
    maps, size=grid, mode="bicubic", antialias=antialias
  )
  want = want.permute(0, 2, 3, 1).reshape(-1, 6).numpy()
  np.testing.assert_array_equal(got[:leading], table[:leading])
  np.testing.assert_allclose(got[leading:], want, rtol=1e-4, atol=1e-5)


def test_the_same_grid_keeps_the_values():
  table = np.random.default_rng(0).standard_normal((16, 6), np.float32)
  np.testing.assert_array_equal(positions.fit_grid(table, (4, 4)), table)


@pytest.mark.parametrize(
  ("count", "want"), [(1, (0, 1)), (2, (1, 1)), (256, (0, 16)), (257, (1, 16))]
)
def test_counts_the_tokens_before_a_square(count, want):
  assert positions.count_places(count) == want


@pytest.mark.parametrize("count", [0, 3, 199])
def test_other_numbers_are_no_square(count):
  with pytest.raises(ValueError, match=f"{count} positions are no square"):
    positions.count_places(count)
