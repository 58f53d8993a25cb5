import functools

import jax
import numpy as np
import pytest

from temporal_jax import layers, models
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.blocks.transformer import TransformerBlock

SMALL = {"patch_size": 4, "width": 16, "depth": 2, "num_heads": 2, "grid": 3}
MIXING = models.Temporal(
  keys_values=functools.partial(layers.TemporalShift, fold_div=4)
)


@pytest.fixture
def clip():
  rng = np.random.default_rng(0)
  return rng.standard_normal((2, 3, 12, 12, 3), np.float32)


def _apply(model, clip, **kwargs):
  variables = model.init(jax.random.key(0), clip)
  return model.apply(variables, clip, **kwargs)


def test_contract(clip):
  logits, aux = _apply(VisionTransformer(7, **SMALL), clip)
  assert logits.shape == (2, 7)
  assert aux["features"].shape == (2, 16)
  np.testing.assert_allclose(
    aux["frame_logits"].mean(axis=1), logits, rtol=1e-5, atol=1e-6
  )


def test_the_losses_of_blocks_that_align_are_summed(clip):
  operator = models.Temporal(
    attention_branch=functools.partial(layers.LearnableAlignment, features=4)
  )
  sizes = {**SMALL, "patch_size": 3, "grid": 4}
  _, aux = _apply(VisionTransformer(7, **sizes, temporal=operator), clip)
  first, second = (aux[f"block{i}"]["alignment_loss"] for i in (1, 2))
  assert aux["alignment_loss"] == pytest.approx(float(first + second), rel=1e-6)
  assert aux["alignment_loss"] > 0


def test_other_sizes_resize_the_positions(clip):
  model = VisionTransformer(7, **SMALL)
  variables = model.init(jax.random.key(0), clip)
  logits, _ = model.apply(variables, clip[:, :, :8, :])
  assert np.isfinite(logits).all()


def test_bfloat16_stays_near(clip):
  exact, _ = _apply(VisionTransformer(7, **SMALL), clip)
  half, _ = _apply(VisionTransformer(7, **SMALL, dtype=jax.numpy.bfloat16), clip)
  assert half.dtype == np.float32
  assert np.linalg.norm(half - exact) <= 5e-2 * np.linalg.norm(exact)


def test_patches_must_divide_the_frames(clip):
  with pytest.raises(ValueError, match="patches of 4 x 4 do not divide"):
    _apply(VisionTransformer(7, **SMALL), clip[:, :, :11])


def test_foreign_slots_are_refused():
  with pytest.raises(ValueError, match="VisionTransformer has the temporal"):
    VisionTransformer(7, temporal=models.Temporal(branch_input=layers.TokenShift))


@pytest.mark.parametrize(
  ("ratio", "blocks", "hidden"),
  [(None, None, 64), (3.5, None, 56), (None, 2, 32), (3.5, 2, 56)],
)
def test_the_mlps_are_as_wide_as_the_blocks_unless_given(clip, ratio, blocks, hidden):
  block = TransformerBlock
  if blocks is not None:
    block = functools.partial(block, mlp_ratio=blocks)
  model = VisionTransformer(7, **SMALL, mlp_ratio=ratio, block=block)
  params = jax.eval_shape(model.init, jax.random.key(0), clip)["params"]
  for name in ("block1", "block2"):
    assert params[name]["mlp"]["expand"]["kernel"].shape == (16, hidden)
