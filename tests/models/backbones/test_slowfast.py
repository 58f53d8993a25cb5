"""The two pathways of SlowFast."""

import jax
import numpy as np
import pytest
import torch

from temporal_jax.models.backbones.slowfast import SlowFast
from tests.support import tiny_resnet3d


def test_slow_frames_are_every_alpha_th():
  model = tiny_resnet3d.build("slowfast_50_8x8")
  clip = tiny_resnet3d.make_clip(9)
  variables = tiny_resnet3d.draw(model, clip)
  apply = jax.jit(model.apply)
  got, _ = apply(variables, clip)
  want, _ = apply(variables, clip, slow=clip[:, ::4])
  np.testing.assert_allclose(got, want, atol=1e-5)
  other, _ = apply(variables, clip, slow=clip[:, 6:])
  assert not np.allclose(got, other, atol=1e-5)
  with pytest.raises(ValueError, match="slow must be"):
    model.apply(variables, clip, slow=clip)


def test_slow_frames_spread_from_the_first_to_the_last():
  model = tiny_resnet3d.build("slowfast_50_8x8", slow_sampling="linspace")
  clip = tiny_resnet3d.make_clip(12)
  variables = tiny_resnet3d.draw(model, clip)
  apply = jax.jit(model.apply)
  got, _ = apply(variables, clip)
  want, _ = apply(variables, clip, slow=clip[:, [0, 5, 11]])  # For 0, 5.5, 11.
  np.testing.assert_allclose(got, want, atol=1e-5)
  with pytest.raises(ValueError, match="alpha 4 must divide the clip's 9 fra"):
    model.apply(variables, clip[:, :9])


def test_slow_frames_are_those_of_torch():
  for frames in [*range(1, 130), 160]:
    clip = np.arange(frames)[None]
    for alpha in range(1, frames + 1):
      if frames % alpha:
        continue
      model = SlowFast(num_classes=2, alpha=alpha, slow_sampling="linspace")
      want = torch.linspace(0, frames - 1, frames // alpha).long()
      assert model._slow_frames(clip)[0].tolist() == want.tolist()


def test_another_slow_sampling_is_refused():
  with pytest.raises(ValueError, match=r"slow_sampling must be in .*'random'"):
    SlowFast(num_classes=2, slow_sampling="random")
