"""Training steps of the catalog are planned."""

import jax
import pytest

from benchmarks.compiled import training_steps


@pytest.mark.parametrize(
  ("name", "inside", "outside"),
  [
    ("tsm_resnet50", "stage1_block1/branch_input", "stage1_block1/conv1"),
    ("vit_b32", None, "block1/attention"),
  ],
)
def test_operators_are_the_layers_in_slots(name, inside, outside):
  step = training_steps.plan(name, jax.devices()[0], batch=2)
  paths = training_steps.operator_paths(step)
  assert outside not in paths
  assert inside is None or inside in paths
  assert bool(paths) == bool(inside)
  assert step.batch["clip"].shape == (2, 8, 224, 224, 3)


def test_multiply_adds_are_three_times_those_of_forward():
  once = training_steps.multiply_adds("vit_b16", batch=1)
  assert training_steps.multiply_adds("vit_b16", batch=8) == 8 * once
  assert once == pytest.approx(3 * 8 * 17.56e9, rel=0.02)  # 17.6 per frame.


def test_multiply_adds_have_the_texts_of_all_classes_once():
  one, two = (training_steps.multiply_adds("xclip_b32", batch=n) for n in (1, 2))
  clip = two - one
  # Width 512, 12 blocks: per token 12 x 512^2, and 2 x 77 x 512 in attention.
  texts = 400 * 12 * 77 * (12 * 512**2 + 2 * 77 * 512)
  assert one - clip == pytest.approx(3 * texts, rel=0.01)
