import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers, ops
from temporal_jax.models.blocks.prompt import VideoSpecificPrompt

KEY = jax.random.key(0, impl="rbg")  # Compiles faster.


def _inputs():
  rng = np.random.default_rng(0)
  text = rng.standard_normal((2, 3, 16), np.float32)
  return text, rng.standard_normal((2, 5, 16), np.float32)


def _prompt(**kwargs):
  return VideoSpecificPrompt(head_width=8, **kwargs)


@pytest.mark.parametrize("num_layers", [1, 2])
def test_normalises_the_video_once_and_the_text_in_every_layer(num_layers):
  text, video = _inputs()
  model = _prompt(num_layers=num_layers, alpha=0.3)
  got, variables = jax.jit(model.init_with_output)(KEY, text, video)
  params = variables["params"]

  def norm(name, x, params):
    return layers.LayerNorm().apply({"params": params[name]}, x)

  seen = norm("norm", video, params)
  for i in range(num_layers):
    layer = params[f"layer{i + 1}"]
    attend = layers.CrossAttention(2, qkv_bias=False)
    mlp = layers.Mlp(64, activation=ops.quick_gelu)
    text = text + attend.apply(
      {"params": layer["attention"]}, norm("norm1", text, layer), seen
    )
    text = text + mlp.apply({"params": layer["mlp"]}, norm("norm2", text, layer))
  np.testing.assert_allclose(got, 0.3 * text, rtol=1e-5, atol=1e-6)


def test_order_of_the_videos_tokens_does_not_matter_but_their_content_does():
  text, video = _inputs()
  model = _prompt()
  before, variables = jax.jit(model.init_with_output)(KEY, text, video)
  apply = jax.jit(model.apply)
  mixed = apply(variables, text, video[:, ::-1])
  np.testing.assert_allclose(mixed, before, rtol=1e-4, atol=1e-6)
  other = apply(variables, text, video[::-1])
  assert np.abs(other - before).max() > 1e-5


def test_bfloat16_is_close():
  text, video = _inputs()
  want, variables = _prompt().init_with_output(KEY, text, video)
  got = _prompt(dtype=jnp.bfloat16).apply(variables, text, video)
  assert got.dtype == jnp.bfloat16
  error = np.linalg.norm(got.astype(jnp.float32) - want)
  assert error < 3e-2 * np.linalg.norm(want)


def test_rejects_wrong_widths():
  text, video = _inputs()
  for wrong in ((text[..., :8], video), (text[..., :12], video[..., :12])):
    with pytest.raises(ValueError, match="must have one width"):
      _prompt().init(KEY, *wrong)
