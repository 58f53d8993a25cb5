"""Networks by name, and their published sizes."""

import jax
import numpy as np
import pytest

from temporal_jax.localization import (
  LOCALIZERS,
  ActionFormer,
  create_localizer,
  find_localizer,
)


def _shapes(name, num_classes, **overrides):
  """Variables and results, as shapes."""
  entry = find_localizer(name)
  network = create_localizer(name, num_classes=num_classes, **overrides)
  inputs = [jax.ShapeDtypeStruct((1, entry.length, entry.channels), np.float32)]
  if entry.module is ActionFormer:
    inputs.append(jax.ShapeDtypeStruct((1, entry.length), bool))
  variables = jax.eval_shape(network.init, jax.random.key(0), *inputs)
  return variables, jax.eval_shape(network.apply, variables, *inputs)


@pytest.mark.parametrize(
  "name", ["bmn", pytest.param("bmn_epic", marks=pytest.mark.slow)]
)
def test_bmn_has_a_score_for_each_proposal(name):
  variables, out = _shapes(name, {"verb": 97, "noun": 300})
  length = find_localizer(name).length
  assert out["start"].shape == out["end"].shape == (1, length)
  assert out["confidence"].shape == (1, 100, length, 2)
  assert out["classes"]["noun"].shape == (1, 100, length, 300)
  assert variables["params"]["proposal"]["kernel"].shape == (32, 256, 512)


@pytest.mark.slow
@pytest.mark.parametrize(
  ("name", "parameters"),
  [
    ("actionformer", 29_251_612),
    ("actionformer_epic", None),
    ("actionformer_activitynet", None),
  ],
)
def test_actionformer_has_six_levels(name, parameters):
  variables, out = _shapes(name, 20)
  length = find_localizer(name).length
  assert [x["logits"].shape for x in out] == [
    (1, length // 2**level, 20) for level in range(6)
  ]
  assert {x["offsets"].shape[2] for x in out} == {2}
  if parameters:  # The authors' own network has such a count.
    assert sum(x.size for x in jax.tree.leaves(variables)) == parameters


def test_unknown_names_are_refused():
  with pytest.raises(ValueError, match="did you mean 'actionformer'"):
    create_localizer("actionforme", num_classes=2)
  with pytest.raises(TypeError, match="unknown argument 'widht' of BMN"):
    create_localizer("bmn", num_classes=None, widht=3)
  with pytest.raises(TypeError, match=r"bmn must be {task: L} or None, got 5"):
    create_localizer("bmn", num_classes=5)
  with pytest.raises(TypeError, match="actionformer must be an integer, got None"):
    create_localizer("actionformer", num_classes=None)


def test_settings_cannot_be_changed():
  with pytest.raises(TypeError, match="does not support item assignment"):
    LOCALIZERS["bmn"].kwargs["width"] = 3
