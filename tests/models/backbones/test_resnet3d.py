"""Use of R3D, R(2+1)D and SlowOnly; of SlowFast where it is the same."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.support import tiny_resnet3d


def test_late_taps_see_the_order_of_frames():
  model = tiny_resnet3d.build("slowonly_50", first_taps=(1, 3))
  clip = tiny_resnet3d.make_clip()
  variables = tiny_resnet3d.draw(model, clip)
  apply = jax.jit(model.apply)
  forward, _ = apply(variables, clip)
  backward, _ = apply(variables, clip[:, ::-1])
  assert not np.allclose(forward, backward, atol=1e-5)


def test_computes_in_bfloat16():
  model = tiny_resnet3d.build("r2plus1d_50_tada1d", dtype=jnp.bfloat16)
  clip = jax.ShapeDtypeStruct((1, 4, 16, 16, 3), jnp.float32)
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  logits, aux = jax.eval_shape(model.apply, variables, clip)
  assert logits.dtype == aux["features"].dtype == jnp.float32
  assert {x.dtype for x in jax.tree.leaves(variables)} == {jnp.dtype("float32")}


@pytest.mark.parametrize(
  ("name", "kwargs", "match"),
  [
    ("r3d_50", {"block": "dense"}, "block must be in"),
    ("slowonly_50", {"block": "basic"}, "no first_taps"),
    ("r3d_50", {"taps": (3, 3)}, "taps must have 3 numbers"),
    ("r3d_50", {"temporal": "adaptive_space_and_time"}, "temporal_convolution"),
    ("slowfast_50_8x8", {"beta": 3}, "beta 3 must divide"),
    ("r3d_50", {"time_first": True}, r"\['time_first'\] need factorised=True"),
    ("r2plus1d_50", {"shared_width": True}, "only basic blocks have a shared_width"),
    ("r2plus1d_50", {"stem_inner_width": 45}, "a stem of one frame .* got 45"),
  ],
)
def test_refuses_what_does_not_fit(name, kwargs, match):
  with pytest.raises(ValueError, match=match):
    tiny_resnet3d.build(name, **kwargs)
