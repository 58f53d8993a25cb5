"""Frames and image size: what follows from them, and what is refused."""

import jax
import numpy as np
import pytest
import torch

import temporal_jax
from temporal_jax import models
from temporal_jax.models.blocks.positions import fit_frames
from tests.support import tiny_networks

CLIP_SIZES = [(1, 8, 8), (2, 12, 12), (6, 8, 12), (4, 9, 7)]


def _refusal(name, frames, rows, columns):
  """Text of the error, if a network cannot take such clips."""
  if name == "big_little" and frames % 2:
    return "come in pairs, got an odd T"
  if name in ("transformer", "video_text") and (rows % 2 or columns % 2):
    return "patches of 2 x 2 do not divide frames of 9 x 7"
  return None


@pytest.mark.parametrize("size", CLIP_SIZES)
@pytest.mark.parametrize("name", tiny_networks.NETWORKS)
def test_other_clips_fit_or_are_refused_with_the_reason(name, size):
  model, clips = tiny_networks.build(name), tiny_networks.clip(*size)
  variables = tiny_networks.shapes(model, tiny_networks.clip())
  refusal = _refusal(name, *size)
  if refusal:
    with pytest.raises(ValueError, match=refusal):
      jax.eval_shape(model.apply, variables, clips)
  else:
    logits, _ = jax.eval_shape(model.apply, variables, clips)
    assert logits.shape == (1, 3)


@pytest.mark.parametrize("name", tiny_networks.NETWORKS)
def test_built_for_a_size_it_needs_no_other_positions(name):
  model = tiny_networks.build(name, num_frames=2, image_size=12)
  shapes = jax.tree.leaves(tiny_networks.shapes(model, tiny_networks.clip(2, 12, 12)))
  assert shapes == jax.tree.leaves(tiny_networks.shapes(model, tiny_networks.clip()))
  positions = tiny_networks.NETWORKS[name][1].get("grid")
  assert getattr(model, "grid", None) == (6 if positions else None)


@pytest.mark.parametrize("name", models.MODELS)
def test_a_rows_own_clip_is_the_default(name):
  frames, rows, columns = models.find_model(name).clip_shape
  assert rows == columns
  built = temporal_jax.create_model(
    name, num_classes=3, num_frames=frames, image_size=rows
  )
  assert built == temporal_jax.create_model(name, num_classes=3)


@pytest.mark.parametrize(
  ("name", "sizes", "expected"),
  [
    ("vit_b32_joint", {"num_frames": 12}, {"num_temporal_positions": 12}),
    ("vit_b16", {"num_frames": 12}, {"num_temporal_positions": 0}),
    ("vit_l14", {"image_size": 336}, {"grid": 24}),
    ("xvit_b16", {"num_frames": 32}, {"num_temporal_positions": 8}),
    (
      "ila_vit_b16",
      {"num_frames": 32, "image_size": 256},
      {"num_frames": 32, "grid": 16},
    ),
  ],
)
def test_positions_are_made_for_the_clips(name, sizes, expected):
  model = temporal_jax.create_model(name, num_classes=3, **sizes)
  assert {field: getattr(model, field) for field in expected} == expected


def test_tubelets_have_positions_of_their_own():
  model = temporal_jax.create_model(
    "vit_b32_joint", num_classes=3, tubelet=(3, 2), num_frames=7
  )
  assert model.num_temporal_positions == 4


@pytest.mark.parametrize(
  ("name", "sizes", "message"),
  [
    ("resnet18", {"num_frames": 0}, "num_frames must be an integer of at least 1"),
    ("resnet18", {"image_size": -8}, "integer of at least 1, got -8"),
    ("vit_b16", {"image_size": 224.0}, "integer of at least 1, got 224.0"),
    ("vit_b16", {"num_frames": True}, "integer of at least 1, got True"),
    ("vit_b16", {"image_size": (224, 224)}, "integer of at least 1, got .224, 224"),
    ("vit_b16", {"image_size": 225}, "a multiple of the 16 pixels of a patch"),
    ("ila_vit_b32", {"image_size": 112}, "multiple of the 32 pixels"),
    ("blvnet_tam_50", {"num_frames": 7}, "come in pairs, got num_frames 7"),
    ("convnext_tiny", {"image_size": 31}, "must have 32 pixels a side, got"),
    (
      "vit_b16",
      {"image_size": 224, "grid": 14},
      "grid is computed from image_size: pass only one",
    ),
    (
      "vit_b32_joint",
      {"num_frames": 8, "num_temporal_positions": 8},
      "num_temporal_positions is computed from num_frames",
    ),
    ("vit_b16", {"longer_clips": "mirror"}, "longer_clips must be in"),
  ],
)
def test_refuses_what_the_network_cannot_take(name, sizes, message):
  with pytest.raises(ValueError, match=message):
    temporal_jax.create_model(name, num_classes=3, **sizes)


def test_numpys_integers_are_integers():
  model = temporal_jax.create_model("vit_b16", num_classes=3, image_size=np.int64(112))
  assert model.grid == 7


@pytest.mark.parametrize("num_frames", [1, 3, 8, 11])
def test_positions_are_interpolated_as_torch_does(num_frames):
  positions = np.random.default_rng(0).standard_normal((4, 5), np.float32)
  want = torch.nn.functional.interpolate(
    torch.tensor(positions).T[None], num_frames, mode="linear"
  )[0].T
  got = fit_frames(positions, num_frames)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
  repeated = fit_frames(positions, num_frames, "repeat")
  np.testing.assert_array_equal(repeated, positions[np.arange(num_frames) % 4])


@pytest.mark.parametrize("longer_clips", ["interpolate", "repeat"])
def test_a_network_fits_its_positions_as_told(longer_clips):
  model = tiny_networks.build(
    "transformer", num_temporal_positions=2, longer_clips=longer_clips
  )
  leaves = tiny_networks.draw(
    tiny_networks.flat(tiny_networks.shapes(model, tiny_networks.clip()))
  )
  moments = leaves["params", "temporal_embedding"]
  exact = model.clone(num_temporal_positions=5)
  fitted = fit_frames(moments, 5, longer_clips)
  other = leaves | {("params", "temporal_embedding"): fitted}
  (want, _), (got, _) = (
    model.apply(tiny_networks.nested(leaves), tiny_networks.clip(5))
    for model, leaves in ((exact, other), (model, leaves))
  )
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
