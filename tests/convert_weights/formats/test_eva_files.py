"""EVA-02-CLIP's image tower on its way into networks."""

import numpy as np
import pytest

from convert_weights.apply import revert_rules
from convert_weights.formats import eva
from tests.support import conversion_plans, published_checkpoints

SOURCE, _ = eva.FORMATS
_SIZES = {"width": 64, "depth": 2, "patch": 4, "grid": 4, "features": 32}
_TOWER = {"width": 64, "depth": 2, "num_heads": 2, "patch_size": 4, "grid": 4}
SHAPES = published_checkpoints.eva(**_SIZES, hidden=170, head_width=32)
TEXT = {"text.ln_final.weight": (8,), "text.attn_mask": (4, 4)}


def _build(row, **kwargs):
  return conversion_plans.build(row, **{**_TOWER, "projection": 32, **kwargs})


def _released(tensors):
  """The tower beside the texts'."""
  visual = {f"visual.{name}": value for name, value in tensors.items()}
  return {**visual, **published_checkpoints.structs(TEXT), "logit_scale": np.float32(1)}


@pytest.mark.parametrize("row", ["eva_b16", "atm_eva_l14"])
@pytest.mark.parametrize("is_released", [True, False])
def test_the_tower_goes_in_whole(row, is_released):
  tensors = published_checkpoints.structs(SHAPES)
  if is_released:
    tensors = _released(tensors)
  done = conversion_plans.planned(SOURCE, _build(row), tensors)
  assert done.problems == ()
  assert {n for n in done.skipped if "rope" not in n} == (
    TEXT.keys() | {"logit_scale"} if is_released else set()
  )
  slots = {leaf.split("/")[2] for leaf in done.new if "/block" in leaf}
  assert slots == ({"block_input", "mlp_input"} if "atm" in row else set())
  others = {leaf.split("/")[1] for leaf in done.new if "/block" not in leaf}
  assert others == {"head"}


@pytest.mark.parametrize("prefix", ["visual.", ""])
def test_a_tensor_renamed_is_a_problem_twice(prefix):
  tensors = {prefix + n: s for n, s in published_checkpoints.structs(SHAPES).items()}
  used = [name for name in tensors if "rope" not in name]
  conversion_plans.check_renamed(SOURCE, _build("atm_eva_l14"), tensors, used)


def test_goes_back_exactly_but_for_what_is_computed():
  network = _build("eva_b16", num_classes=None)
  tensors = conversion_plans.draw(SHAPES)
  variables = conversion_plans.converted(SOURCE, network, tensors)
  back = revert_rules(SOURCE.rules(network), variables)
  assert back.keys() == {f"visual.{n}" for n in tensors if "rope" not in n}
  for name, value in back.items():
    want = tensors[name.removeprefix("visual.")]
    np.testing.assert_array_equal(value, want)


def test_positions_fit_another_grid():
  network = _build("atm_eva_l14", grid=6)
  tensors = conversion_plans.draw(SHAPES)
  made = conversion_plans.converted(SOURCE, network, tensors)["params"]
  got = made["position_embedding"]
  assert got.shape == (37, 64)
  np.testing.assert_array_equal(got[0], tensors["pos_embed"][0, 0])


@pytest.mark.parametrize(
  ("row", "sizes"),
  [
    ("eva_b16", published_checkpoints.EVA_B16),
    pytest.param("eva_l14", published_checkpoints.EVA_L14, marks=pytest.mark.slow),
    pytest.param(
      "eva_l14_336", published_checkpoints.EVA_L14_336, marks=pytest.mark.slow
    ),
  ],
)
def test_published_files_are_used_whole(row, sizes):
  tensors = published_checkpoints.structs(published_checkpoints.eva(**sizes))
  network = conversion_plans.build(row, num_classes=None)
  done = conversion_plans.planned(SOURCE, network, tensors)
  assert done.problems == ()
  assert not done.new
  assert all("rope" in name for name in done.skipped)


def test_takes_no_network_of_another_form():
  for row in ("resnet50", "vit_b16", "xvit_b16", "xclip_b32"):
    assert not SOURCE.takes(conversion_plans.build(row))
  for row in ("eva_b16", "eva_l14_336", "atm_eva_l14"):
    assert SOURCE.takes(conversion_plans.build(row))
