"""Classifiers of timm and transformers without a layer before the classes."""

import jax
import numpy as np
import pytest
import safetensors.numpy
import torch

import convert_weights
import temporal_jax
from convert_weights import inspection
from convert_weights.__main__ import main
from tests.support import conversion_plans, published_checkpoints
from tests.support.tiny_huggingface_vit import EPSILON, SIZES, vit_classifier

_ARGUMENTS = {**SIZES, "epsilon": EPSILON}


@pytest.fixture(scope="module")
def model():
  return conversion_plans.shake(vit_classifier())


@pytest.fixture(scope="module")
def in_file(model, tmp_path_factory):
  """The tensors as transformers writes them."""
  folder = tmp_path_factory.mktemp("vit")
  model.save_pretrained(folder)
  return dict(convert_weights.read(folder).tensors)


@pytest.fixture(scope="module")
def by_timm(in_file):
  """The tensors as timm's `VisionTransformer` names them."""
  vit = "vit.encoder.layer"
  simple = {
    "cls_token": "vit.embeddings.cls_token",
    "pos_embed": "vit.embeddings.position_embeddings",
  }
  layers = {
    "patch_embed.proj": "vit.embeddings.patch_embeddings.projection",
    "norm": "vit.layernorm",
    "head": "classifier",
  }
  made = {}
  for i in range(2):
    layers |= {
      f"blocks.{i}.norm1": f"{vit}.{i}.layernorm_before",
      f"blocks.{i}.norm2": f"{vit}.{i}.layernorm_after",
      f"blocks.{i}.attn.proj": f"{vit}.{i}.attention.output.dense",
      f"blocks.{i}.mlp.fc1": f"{vit}.{i}.intermediate.dense",
      f"blocks.{i}.mlp.fc2": f"{vit}.{i}.output.dense",
    }
    for kind in ("weight", "bias"):
      parts = [
        in_file[f"{vit}.{i}.attention.attention.{part}.{kind}"]
        for part in ("query", "key", "value")
      ]
      made[f"blocks.{i}.attn.qkv.{kind}"] = np.concatenate(parts)
  made |= {ours: in_file[theirs] for ours, theirs in simple.items()}
  for ours, theirs in layers.items():
    for kind in ("weight", "bias"):
      made[f"{ours}.{kind}"] = in_file[f"{theirs}.{kind}"]
  return made


@pytest.fixture(params=["transformers", "timm"])
def tensors(request, in_file, by_timm):
  return in_file if request.param == "transformers" else by_timm


def test_logits_are_those_of_transformers(model, tensors):
  images = np.random.default_rng(0).standard_normal((3, 16, 16, 3), np.float32)
  with torch.no_grad():
    want = model(torch.tensor(images).permute(0, 3, 1, 2)).logits
  variables = convert_weights.convert("vit_b16_in21k", tensors, **_ARGUMENTS)
  network = temporal_jax.create_model(
    "vit_b16_in21k", num_classes=5, representation=None, **_ARGUMENTS
  )
  logits, _ = jax.jit(network.apply)(variables, images[:, None])
  assert conversion_plans.distance(logits, want) < 1e-5


def test_both_namings_give_the_same(in_file, by_timm):
  got, want = (
    convert_weights.convert("vit_b16_in21k", tensors, **_ARGUMENTS)
    for tensors in (by_timm, in_file)
  )
  jax.tree.map(np.testing.assert_array_equal, got, want)


def test_that_the_layer_is_left_out_is_said(tmp_path, tensors, capsys):
  path = tmp_path / "vit.safetensors"
  safetensors.numpy.save_file(tensors, path)
  settings = [f"--set={key}={value}" for key, value in _ARGUMENTS.items()]
  main(["vit_b16_in21k", str(path), str(tmp_path / "out"), *settings])
  assert "representation=None: the weights have no layer" in " ".join(
    capsys.readouterr().out.split()
  )
  main(["verify", str(tmp_path / "out")])


@pytest.mark.parametrize(
  ("row", "new"), [("tsm_vit_b16", set()), ("xvit_b16", {"temporal_embedding"})]
)
def test_networks_of_videos_start_from_them(tensors, row, new):
  variables = convert_weights.convert(row, tensors, num_classes=7, **_ARGUMENTS)
  plain = convert_weights.convert("vit_b16_in21k", tensors, **_ARGUMENTS)
  assert variables["params"].keys() - plain["params"].keys() == new
  kernel = variables["params"]["block2"]["mlp"]["expand"]["kernel"]
  want = plain["params"]["block2"]["mlp"]["expand"]["kernel"]
  np.testing.assert_array_equal(kernel, want)


def test_inspect_proposes_the_network_without_it(monkeypatch):
  few = {"vit_b16_in21k": temporal_jax.models.MODELS["vit_b16_in21k"]}
  monkeypatch.setattr("convert_weights.inspection.MODELS", few)
  shapes = published_checkpoints.timm_vit(classes=1000)
  tensors = published_checkpoints.structs(
    {n: shape for n, shape in shapes.items() if "pre_logits" not in n}
  )
  commands = [one.command for one in inspection.candidates(tensors)]
  assert commands == ["vit_b16_in21k --set representation=null"]
