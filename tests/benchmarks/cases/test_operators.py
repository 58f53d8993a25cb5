"""What the operators' benchmark claims without a clock, at its own sizes."""

import re

import einops
import jax
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmarks.cases import operators as rows  # noqa: E402
from benchmarks.cases.modules import MODULE_ROWS  # noqa: E402

ROWS = (*rows.ROWS, *MODULE_ROWS)
FRAMES = 4


ALL = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def _shapes(row, frames):
  return [jax.ShapeDtypeStruct(array.shape, np.float32) for array in row.arrays(frames)]


@ALL
def test_equals_the_torch_form(row):
  rng = np.random.default_rng(0)
  specs = row.arrays(FRAMES)
  arrays = [rng.standard_normal(spec.shape, np.float32) for spec in specs]
  official = [
    torch.tensor(einops.rearrange(array, spec.pattern))
    for array, spec in zip(arrays, specs, strict=True)
  ]
  got = np.asarray(jax.jit(row.ours)(*arrays))
  got = einops.rearrange(got, row.out)
  want = row.theirs(*official, frames=FRAMES).numpy().reshape(got.shape)
  assert np.linalg.norm(got - want) <= 1e-5 * np.linalg.norm(want)


@ALL
def test_needs_no_more_memory_than_the_formula(row):
  compiled = jax.jit(row.ours).lower(*_shapes(row, FRAMES)).compile()
  needed = 4 * row.scratch(FRAMES)
  assert compiled.memory_analysis().temp_size_in_bytes <= needed + 2**16


@pytest.mark.parametrize(
  "row", [row for row in ROWS if row.linear], ids=lambda row: row.name
)
def test_cost_is_linear_in_frames(row):
  once, twice = (
    jax.jit(row.ours).lower(*_shapes(row, t)).cost_analysis()
    for t in (16, 32)  # Pairs are one fewer than frames.
  )
  assert twice.get("flops", 0) <= 2.2 * once.get("flops", 0)


@ALL
def test_lowers_without_grouped_convolutions(row):
  def loss(*arrays):
    return jax.numpy.sum(row.ours(*arrays))

  count = len(row.arrays(FRAMES))
  gradients = jax.jit(jax.grad(loss, argnums=tuple(range(count))))
  text = gradients.lower(*_shapes(row, FRAMES)).as_text()
  groups = re.findall(r"feature_group_count = (\d+)", text)
  assert set(groups) <= {"1"}
