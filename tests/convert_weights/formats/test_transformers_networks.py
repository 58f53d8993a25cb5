"""Convolutional networks of transformers: their weights in, their answers."""

import jax
import numpy as np
import pytest
import torch
import transformers

from convert_weights.apply import revert_rules
from temporal_jax.models.backbones.convnext import ConvNeXt
from temporal_jax.models.backbones.resnet import ResNet
from tests.support import network_shapes

CLASSES = 5


def _resnet(block):
  expansion = 4 if block == "bottleneck" else 1
  theirs = transformers.ResNetForImageClassification(
    transformers.ResNetConfig(
      embedding_size=8,
      hidden_sizes=[8 * expansion, 16 * expansion],
      depths=[1, 2],
      layer_type=block,
      num_labels=CLASSES,
    )
  )
  return theirs, ResNet(CLASSES, (1, 2), block, width=8)


def _convnext():
  theirs = transformers.ConvNextForImageClassification(
    transformers.ConvNextConfig(
      num_stages=3,
      hidden_sizes=[8, 12, 16],
      depths=[1, 2, 1],
      layer_norm_eps=1e-6,  # As the authors have it.
      num_labels=CLASSES,
    )
  )
  return theirs, ConvNeXt(CLASSES, (1, 2, 1), (8, 12, 16))


NETWORKS = {
  "basic": ("huggingface_resnet", lambda: _resnet("basic")),
  "bottleneck": ("huggingface_resnet", lambda: _resnet("bottleneck")),
  "convnext": ("huggingface_convnext", _convnext),
}


def _shake(module):
  """Moves every parameter and statistic, for many start at zero or one."""
  with torch.no_grad():
    for name, value in module.state_dict().items():
      if value.is_floating_point():
        noise = 0.1 * torch.randn_like(value)
        value.add_(noise.abs() if "var" in name else noise)
  return module.eval()


def _distance(got, want):
  want = want.detach().numpy()
  return np.linalg.norm(got - want) / np.linalg.norm(want)


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_transformers(name):
  source, build = NETWORKS[name]
  torch.manual_seed(0)
  theirs, ours = build()
  _shake(theirs)
  tensors = {k: v.numpy() for k, v in theirs.state_dict().items()}
  assert network_shapes.recognised(tensors) == [source]
  frames = np.random.default_rng(0).standard_normal((3, 64, 96, 3), np.float32)
  target = jax.eval_shape(ours.init, jax.random.key(0), frames[None])
  variables = network_shapes.converted(source, ours, tensors, target)
  with jax.default_matmul_precision("highest"):
    logits, aux = jax.jit(ours.apply)(variables, frames[None])
  with torch.no_grad():
    pixels = torch.tensor(frames).permute(0, 3, 1, 2)
    out = theirs(pixels, output_hidden_states=True)
  assert _distance(aux["frame_logits"][0], out.logits) < 1e-5
  assert _distance(logits[0], out.logits.mean(0)) < 1e-5
  features = out.hidden_states[-1].mean((2, 3))
  assert _distance(aux["frame_features"][0], features) < 1e-5
  back = revert_rules(network_shapes.SOURCES[source].rules(ours), variables)
  counters = {k for k in tensors if k.endswith("num_batches_tracked")}
  assert back.keys() == tensors.keys() - counters
  for key, value in back.items():
    np.testing.assert_array_equal(value, tensors[key])
