"""What is SlowFast's own: its two pathways."""

import jax
import numpy as np
import pytest

from tests.models import tiny_resnet3d


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
