import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import temporal_jax
from temporal_jax.models import VisionTransformer
from temporal_jax.models.blocks import positions

_WIDTH, _PATCH, _GRID = 8, 2, 3


@pytest.fixture
def clip():
  rng = np.random.default_rng(0)
  side = _PATCH * _GRID
  return rng.standard_normal((2, 4, side, side, 3), np.float32)


def _embed(clip, **kwargs):
  """Tokens before the blocks with drawn positions, and the parameters."""
  network = VisionTransformer(None, _PATCH, _WIDTH, 0, 1, grid=_GRID, **kwargs)
  variables = network.init(jax.random.key(0), clip)
  rng = np.random.default_rng(1)
  variables = jax.tree.map(
    lambda x: rng.standard_normal(x.shape, np.float32), variables
  )
  _, aux = network.apply(variables, clip)
  params = variables["params"]
  del params["norm"]
  return np.asarray(aux["tokens"]), params


def _patches(clip, params, frames):
  """The patches before positions, by torch's convolution."""
  kernel = np.asarray(params["patch_embedding"]["kernel"])
  kernel = kernel if kernel.ndim == 5 else kernel[None]
  maps = torch.nn.functional.conv3d(
    torch.tensor(clip).permute(0, 4, 1, 2, 3),
    torch.tensor(kernel).permute(4, 3, 0, 1, 2),
    torch.tensor(np.asarray(params["patch_embedding"]["bias"])),
    (frames, _PATCH, _PATCH),
  )
  return maps.flatten(3).permute(0, 2, 3, 1).numpy()


def test_a_shared_class_token_is_at_no_frame(clip):
  tokens, params = _embed(clip, num_temporal_positions=4, shared_class_token=True)
  places = np.asarray(params["position_embedding"])
  moments = np.asarray(params["temporal_embedding"])
  first = np.asarray(params["class_token"]) + places[0]
  want = np.broadcast_to(first, tokens[:, :, 0].shape)
  np.testing.assert_allclose(tokens[:, :, 0], want, rtol=1e-5)
  want = _patches(clip, params, 1) + places[1:] + moments[:, None]
  np.testing.assert_allclose(tokens[:, :, 1:], want, rtol=1e-4, atol=1e-5)


def test_sines_number_the_tubelets_of_the_clip(clip):
  tokens, params = _embed(
    clip, tubelet=(2, 2), has_class_token=False, pooling="mean", positions="sine"
  )
  assert params.keys() == {"patch_embedding"}
  table = np.empty((2 * _GRID**2, _WIDTH))
  for place in range(len(table)):
    for channel in range(_WIDTH):
      angle = place / 10000 ** (2 * (channel // 2) / _WIDTH)
      table[place, channel] = np.cos(angle) if channel % 2 else np.sin(angle)
  want = _patches(clip, params, 2) + table.reshape(2, -1, _WIDTH)
  np.testing.assert_allclose(tokens, want, rtol=1e-4, atol=1e-5)


def test_positions_of_a_clip_differ_by_frame(clip):
  tokens, params = _embed(
    clip,
    tubelet=(2, 2),
    shared_class_token=True,
    positions="clip",
    num_temporal_positions=2,
  )
  places = np.asarray(params["position_embedding"])
  assert places.shape == (1 + 2 * _GRID**2, _WIDTH)
  want = _patches(clip, params, 2) + places[1:].reshape(2, -1, _WIDTH)
  np.testing.assert_allclose(tokens[:, :, 1:], want, rtol=1e-4, atol=1e-5)
  first = np.asarray(params["class_token"]) + places[0]
  np.testing.assert_allclose(tokens[:, 1, 0], np.stack([first] * 2), rtol=1e-5)


def test_positions_of_a_clip_fit_other_clips():
  rng = np.random.default_rng(0)
  table = rng.standard_normal((2 * 9, 4), np.float32)
  same = positions.fit_clip(table, (2, 3), (2, 3, 3))
  np.testing.assert_array_equal(same, table.reshape(2, 9, 4))
  maps = torch.tensor(table).view(2, 3, 3, 4).permute(0, 3, 1, 2)
  maps = torch.nn.functional.interpolate(maps, (4, 5), mode="bicubic")
  series = maps.permute(2, 3, 1, 0).flatten(0, 2)[None]  # 1 (H W D) T
  series = torch.nn.functional.interpolate(series, 3, mode="linear")
  want = series[0].view(4 * 5, 4, 3).permute(2, 0, 1)
  got = positions.fit_clip(table, (2, 3), (3, 4, 5))
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
  ("tubelet", "frames", "count"),
  [((1, 1), 5, 5), ((3, 2), 8, 4), ((3, 2), 7, 4), ((2, 2), 16, 8), ((2, 2), 5, 2)],
)
def test_tubelets_are_counted(tubelet, frames, count):
  assert positions.count_tubelets(frames, tubelet) == count
  network = VisionTransformer(
    None, 2, 8, 1, 1, tubelet=tubelet, grid=2, num_temporal_positions=1
  )
  clip = jax.ShapeDtypeStruct((1, frames, 4, 4, 3), jnp.float32)
  variables = jax.eval_shape(network.init, jax.random.key(0), clip)
  _, aux = jax.eval_shape(network.apply, variables, clip)
  assert aux["tokens"].shape[1] == count


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    ({"positions": "rotary"}, "positions must be one of"),
    ({"pooling": "max"}, "pooling must be one of"),
    ({"pooling_heads": 0}, "pooling_heads must be an integer of at least 1, got 0"),
    ({"positions": "clip"}, "num_temporal_positions to be positive, got 0"),
    (
      {"positions": "sine", "num_temporal_positions": 8},
      "num_temporal_positions to be 0, got 8",
    ),
    ({"has_class_token": False}, "is False: pooling must be one of"),
    (
      {"has_class_token": False, "pooling": "mean", "shared_class_token": True},
      "shared_class_token False",
    ),
  ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
  with pytest.raises(ValueError, match=message):
    temporal_jax.create_model("tsm_vit_b16", num_classes=3, **arguments)


def test_a_clip_shorter_than_a_tubelet_is_refused():
  with pytest.raises(ValueError, match="tubelets span 2 frames, got num_frames 1"):
    temporal_jax.create_model("vivit_b16x2", num_classes=3, num_frames=1)
