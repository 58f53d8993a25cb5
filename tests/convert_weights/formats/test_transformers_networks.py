"""Convolutional networks of transformers: their weights in, their answers."""

import jax
import numpy as np
import pytest
import torch
import transformers

import convert_weights
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


def _headless(kind, ours, **config):
  model = getattr(transformers, kind)
  return model(model.config_class(**config)), ours


_STAGES = {"hidden_sizes": [8, 12, 16], "depths": [1, 2, 1]}
# Networks without a classifier: their source, in memory and in a file.
HEADLESS = {
  "resnet": (
    "huggingface_resnet_model",
    lambda: _headless(
      "ResNetModel",
      ResNet(CLASSES, (1, 2), "bottleneck", width=8),
      **{"embedding_size": 8, "hidden_sizes": [32, 64], "depths": [1, 2]},
    ),
  ),
  "convnext": (
    "huggingface_convnext_model",
    lambda: _headless(
      "ConvNextModel",
      ConvNeXt(CLASSES, (1, 2, 1), (8, 12, 16)),
      num_stages=3,
      layer_norm_eps=1e-6,
      **_STAGES,
    ),
  ),
  "dinov3 convnext": (
    "huggingface_dinov3_convnext",
    lambda: _headless(
      "DINOv3ConvNextModel",
      ConvNeXt(CLASSES, (1, 2, 1), (8, 12, 16)),
      **_STAGES,
    ),
  ),
}


@pytest.mark.parametrize("name", HEADLESS)
def test_features_without_a_classifier_equal_transformers(name, tmp_path):
  source, build = HEADLESS[name]
  torch.manual_seed(0)
  theirs, ours = build()
  _shake(theirs).save_pretrained(tmp_path)
  in_memory = {k: v.numpy() for k, v in theirs.state_dict().items()}
  images = np.random.default_rng(0).standard_normal((3, 64, 96, 3), np.float32)
  target = jax.eval_shape(ours.init, jax.random.key(0), images[:, None])
  zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), target)
  with torch.no_grad():
    want = theirs(torch.tensor(images).permute(0, 3, 1, 2)).pooler_output.flatten(1)
  for tensors in (in_memory, convert_weights.read(tmp_path).tensors):
    assert network_shapes.recognised(tensors) == [source]
    variables = network_shapes.converted(source, ours, tensors, target, new=zeros)
    with jax.default_matmul_precision("highest"):
      _, aux = jax.jit(ours.apply)(variables, images[:, None])
    assert _distance(aux["features"], want) < 1e-5
  body = {
    kind: {k: v for k, v in leaves.items() if k != "head"}
    for kind, leaves in variables.items()
  }
  back = revert_rules(network_shapes.SOURCES[source].rules(ours), body)
  for key, value in back.items():
    np.testing.assert_array_equal(value, tensors[key])
  counters = {k for k in tensors if k.endswith("num_batches_tracked")}
  assert back.keys() == tensors.keys() - counters
