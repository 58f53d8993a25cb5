"""Networks on one frame of a stream after the other."""

import functools

import jax
import numpy as np
import pytest

import temporal_jax
from temporal_jax import layers, models
from temporal_jax.models.blocks import heads
from tests.support import tiny_networks

FRAMES = 5


def _build(name, operator):
  arguments = {"alternate": False} if name == "big_little" else {}
  # More than one block, so that what operators keep is of several.
  if name == "transformer":
    arguments["depth"] = 2
  elif name.startswith("resnet"):
    arguments["stage_sizes"] = (2,)
  return tiny_networks.build(name, temporal=operator, **arguments)


@pytest.mark.parametrize(
  ("name", "operator"),
  [
    ("resnet_basic", "causal_shift"),
    ("resnet_bottleneck", "causal_aggregation"),
    ("transformer", "causal_residual_shift"),
    pytest.param("big_little", "causal_aggregation", marks=pytest.mark.slow),
    pytest.param("convnext", "causal_shift", marks=pytest.mark.slow),
  ],
)
def test_every_frame_has_the_logits_it_has_in_a_clip(name, operator):
  model, clip = _build(name, operator), tiny_networks.clip(FRAMES)
  models.check_online(model)
  shapes = tiny_networks.flat(tiny_networks.shapes(model, clip))
  assert not any("cache" in path for path in shapes)
  variables = tiny_networks.nested(tiny_networks.draw(shapes))

  @jax.jit
  def step(kept, frame):
    (logits, _), kept = model.apply({**variables, **kept}, frame, mutable=["cache"])
    return logits, kept

  frame = clip[:, :1]
  blank = jax.tree.map(
    lambda leaf: np.zeros(leaf.shape, leaf.dtype),
    jax.eval_shape(step, {}, frame)[1],
  )
  kept, online = blank, []
  for t in range(FRAMES):
    logits, kept = step(kept, clip[:, t : t + 1])
    online.append(logits)
  want, aux = jax.jit(model.apply)(variables, clip)
  np.testing.assert_allclose(
    np.stack(online, axis=1), aux["frame_logits"], rtol=1e-5, atol=1e-5
  )
  np.testing.assert_allclose(np.mean(online, 0), want, rtol=1e-5, atol=1e-5)
  # The frames do have to do with one another.
  alone, _ = step(blank, clip[:, -1:])
  assert np.abs(alone - online[-1]).max() > 1e-3


@pytest.mark.parametrize(
  ("name", "kwargs"),
  [
    ("blvnet_tam_50", {"temporal": "causal_aggregation"}),
    ("r3d_50", {"temporal": "causal_shift"}),
    ("slowfast_50_8x8", {}),
    ("xclip_b32", {"temporal": "none"}),
    ("xvit_b16", {"temporal": "none"}),
    ("tadaconvnext_tiny", {"temporal": "none"}),
    ("tadaformer_b16", {"temporal": "none"}),
    ("resnet18", {"head": "attention"}),
  ],
)
def test_networks_that_mix_frames_themselves_are_refused(name, kwargs):
  model = temporal_jax.create_model(name, num_classes=2, **kwargs)
  with pytest.raises(ValueError, match="mixes frames itself"):
    models.check_online(model)


@pytest.mark.parametrize(
  ("name", "operator"),
  [
    ("resnet18", "shift"),
    ("resnet18", "aggregation"),
    ("resnet18", "adaptive"),
    ("resnet18", "arithmetic"),
    ("vit_b16", "joint"),
    # Keys and values, which one module sees one after the other.
    (
      "vit_b16",
      models.Temporal(
        keys_values=functools.partial(layers.TemporalShift, direction="past")
      ),
    ),
    (
      "resnet18",
      models.Temporal(
        followed_by=models.Temporal(branch_input=layers.TemporalAggregation)
      ),
    ),
  ],
)
def test_operators_that_are_not_causal_are_refused(name, operator):
  model = temporal_jax.create_model(name, num_classes=2, temporal=operator)
  with pytest.raises(ValueError, match=r"allowed are \['none', 'causal_"):
    models.check_online(model)


def test_the_operators_of_a_network_are_listed():
  operators = {
    name: models.online_operators(
      temporal_jax.create_model(name, num_classes=2, temporal=None)
    )
    for name in ("resnet18", "blresnet50", "vit_b16")
  }
  assert operators == {
    "resnet18": [
      "none",
      "causal_aggregation",
      "causal_residual_shift",
      "causal_shift",
    ],
    "blresnet50": ["none", "causal_aggregation", "causal_shift"],
    "vit_b16": ["none", "causal_residual_shift"],
  }


def test_heads_that_average_are_known():
  known = {head for head in models.HEADS if heads.averages_logits(head)}
  assert known == {"average", "average_features"}
