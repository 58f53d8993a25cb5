import pytest

import temporal_jax
from temporal_jax import models


def test_lists_by_pattern():
  assert temporal_jax.list_models("tsm_resnet*") == ["tsm_resnet50"]
  assert set(temporal_jax.list_models()) == set(models.MODELS)
  assert temporal_jax.list_models("nothing*") == []


def test_table_is_immutable():
  with pytest.raises(TypeError):
    models.MODELS["mine"] = None


@pytest.mark.parametrize("name", list(models.MODELS))
def test_every_row_builds(name):
  model = temporal_jax.create_model(name, num_classes=3)
  assert model.num_classes == 3


def test_unknown_model_suggests_near_ones():
  with pytest.raises(ValueError, match="resnet50"):
    temporal_jax.create_model("resnet5O", num_classes=3)


def test_unknown_operator_suggests_near_ones():
  with pytest.raises(ValueError, match="did you mean 'aggregation'"):
    temporal_jax.create_model("resnet18", num_classes=3, temporal="agregation")


def test_unknown_override_suggests_near_ones():
  with pytest.raises(TypeError, match="did you mean 'width'"):
    temporal_jax.create_model("resnet18", num_classes=3, widht=8)


def test_row_operator_can_be_taken_out():
  model = temporal_jax.create_model(
    "aggregation_resnet50", num_classes=3, temporal=None
  )
  assert model.temporal.filled() == set()


def test_slots_a_backbone_lacks_are_refused():
  temporal = models.Temporal(keys_values=object)
  with pytest.raises(ValueError, match=r"'convolution'\], not \['keys_values'"):
    temporal_jax.create_model("resnet18", num_classes=3, temporal=temporal)
