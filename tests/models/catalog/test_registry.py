import pytest

import temporal_jax
from temporal_jax import models


def test_lists_by_pattern():
  assert temporal_jax.list_models("tsm_resnet*") == ["tsm_resnet50"]
  assert set(temporal_jax.list_models()) == set(models.MODELS)
  assert temporal_jax.list_models("nothing*") == []


@pytest.mark.parametrize(
  ("family", "members"),
  [
    ("resnet{}", "18 34 50 101 152"),
    ("tsn_resnet{}", "18 34 50 101 152"),
    ("atm_resnet{}", "18 34 50 101 152"),
    ("{}_resnet50", "tsm aggregation tada2d"),
    ("blresnet{}", "50 101"),
    ("{}", "tsn_blresnet50 blvnet_50 blvnet_101 blvnet_tsm_50"),
    ("blvnet_tam_{}", "50 101"),
    ("convnext_{}", "tiny small base"),
    ("{}", "tadaconvnext_tiny"),
    ("tadaconvnextv2_{}", "tiny small base"),
    ("vit_{}", "b32 b16 l14 l14_336 b16_in21k"),
    ("eva_{}", "b16 l14 l14_336"),
    ("atm_vit_{}", "b16 l14 l14_336"),
    ("atm_eva_{}", "l14 l14_336"),
    ("ila_vit_{}", "b32 b16 l14 l14_336"),
    ("vit_b32_{}", "spatial joint divided ata"),
    ("{}", "xclip_b32 tsm_vit_b16"),
    ("xvit_b16{}", " _kinetics _ssv2"),
    ("tadaformer_{}", "b16 l14"),
    ("{}", "slowonly_50 slowonly_50_tada r3d_50 r3d_50_tada"),
    ("slowfast_50_{}", "4x16 8x8 4x16_tada 8x8_tada"),
    ("r2plus1d_{}", "10 18 50 50_tada 50_tada1d"),
    ("{}_18", "r2d3d r3d"),
    ("timesformer_b16{}", " _448 _96f _joint _space"),
    ("videomae_{}", "s16 b16 l16 h16"),
    ("{}", "videomaev2_g14 vivit_b16x2"),
    ("vivit_{}_factorised", "b16x2 l16x2"),
    ("vjepa2_l16{}", " _16f _32f"),
    ("vjepa2_{}", "h16 g16 g16_384 g16_384_32f"),
  ],
)
def test_every_published_network_has_its_name(family, members):
  names = {family.format(member) for member in members.split(" ")}
  assert names <= set(temporal_jax.list_models())


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


@pytest.mark.parametrize(
  ("overrides", "words"),
  [
    ({"grid": (4, 4)}, r"grid of VisionTransformer must be an integer, got \(4, 4\)"),
    ({"width": "a"}, "width of VisionTransformer must be an integer, got 'a'"),
    ({"depth": True}, "depth of VisionTransformer must be an integer, got True"),
  ],
)
def test_an_override_of_another_type_is_named(overrides, words):
  with pytest.raises(TypeError, match=words):
    temporal_jax.create_model("vit_b16", num_classes=2, **overrides)


def test_row_operator_can_be_taken_out():
  model = temporal_jax.create_model(
    "aggregation_resnet50", num_classes=3, temporal=None
  )
  assert model.temporal.filled() == set()


def test_slots_a_backbone_lacks_are_refused():
  temporal = models.Temporal(keys_values=object)
  with pytest.raises(ValueError, match=r"'convolution'\], not \['keys_values'"):
    temporal_jax.create_model("resnet18", num_classes=3, temporal=temporal)


@pytest.mark.parametrize(
  ("name", "filled"),
  [("vit_b16", (0, 7)), ("vit_l14", (0, 14)), ("resnet50", (2, 0))],
)
def test_an_operator_may_follow_from_the_network(name, filled):
  model = temporal_jax.create_model(name, num_classes=3, temporal="arithmetic")
  stages = range(1 if name.startswith("vit") else 4)
  places = [(stage, block) for stage in stages for block in range(24)]
  assert [place for place in places if model.temporal.where(*place)] == [filled]


@pytest.mark.parametrize(
  ("num_classes", "message"),
  [
    (-1, "num_classes must be an integer of at least 1, got -1"),
    (
      {"verb": 3, "noun": 0},
      "num_classes noun must be an integer of at least 1, got 0",
    ),
  ],
)
def test_numbers_of_classes_are_checked(num_classes, message):
  with pytest.raises(ValueError, match=message):
    temporal_jax.create_model("resnet18", num_classes=num_classes)
