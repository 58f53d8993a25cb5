"""Claims of the operators' benchmark that need no timing, at its own sizes."""

import re

import einops
import jax
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmarks.cases.modules import MODULES  # noqa: E402
from benchmarks.cases.operators import OPERATORS  # noqa: E402

CASES = (*OPERATORS, *MODULES)
FRAMES = 4


ALL = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def _shapes(case, frames):
  return [
    jax.ShapeDtypeStruct(array.shape, np.float32) for array in case.arrays(frames)
  ]


@ALL
def test_equals_the_torch_form(case):
  rng = np.random.default_rng(0)
  specs = case.arrays(FRAMES)
  arrays = [rng.standard_normal(spec.shape, np.float32) for spec in specs]
  official = [
    torch.tensor(einops.rearrange(array, spec.pattern))
    for array, spec in zip(arrays, specs, strict=True)
  ]
  got = np.asarray(jax.jit(case.ours)(*arrays))
  got = einops.rearrange(got, case.out)
  want = case.theirs(*official, frames=FRAMES).numpy().reshape(got.shape)
  assert np.linalg.norm(got - want) <= 1e-5 * np.linalg.norm(want)


@ALL
def test_needs_no_more_memory_than_the_formula(case):
  compiled = jax.jit(case.ours).lower(*_shapes(case, FRAMES)).compile()
  needed = 4 * case.scratch(FRAMES)
  assert compiled.memory_analysis().temp_size_in_bytes <= needed + 2**16


@pytest.mark.parametrize(
  "case", [case for case in CASES if case.linear], ids=lambda case: case.name
)
def test_cost_is_linear_in_frames(case):
  once, twice = (
    jax.jit(case.ours).lower(*_shapes(case, t)).cost_analysis()
    for t in (16, 32)  # Pairs are one fewer than frames.
  )
  assert twice.get("flops", 0) <= 2.2 * once.get("flops", 0)


@ALL
def test_lowers_without_grouped_convolutions(case):
  def loss(*arrays):
    return jax.numpy.sum(case.ours(*arrays))

  count = len(case.arrays(FRAMES))
  gradients = jax.jit(jax.grad(loss, argnums=tuple(range(count))))
  text = gradients.lower(*_shapes(case, FRAMES)).as_text()
  groups = re.findall(r"feature_group_count = (\d+)", text)
  assert set(groups) <= {"1"}
