"""Prefixes of names are found by themselves, or asked for."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import convert_weights
import temporal_jax
from convert_weights.__main__ import main
from convert_weights.plan import plan_conversion
from convert_weights.planning import prefixes
from temporal_jax import inference

_TINY = {"width": 8, "stage_sizes": (1,)}
_SETTINGS = ["--set", "width=8", "--set", "stage_sizes=[1]"]


@pytest.fixture(scope="module")
def tensors():
  """A tiny ResNet of random weights in torchvision's names."""
  model = temporal_jax.create_model("resnet18", num_classes=3, **_TINY)
  clip = jax.ShapeDtypeStruct((1, 2, 16, 16, 3), jnp.float32)
  shapes = jax.eval_shape(model.init, jax.random.key(0), clip)
  rng = np.random.default_rng(0)
  variables = jax.tree.map(lambda x: rng.standard_normal(x.shape, np.float32), shapes)
  return convert_weights.to_torch("resnet18", variables, source="torchvision", **_TINY)


def _under(prefix, tensors):
  return {f"{prefix}{name}": value for name, value in tensors.items()}


def _moved(tensors):
  """The same network with other values."""
  return {name: value + 1 for name, value in tensors.items()}


def _same(got, tensors):
  want = convert_weights.convert("resnet18", tensors, **_TINY)
  jax.tree.map(np.testing.assert_array_equal, got, want)


@pytest.mark.parametrize(
  "prefix",
  [
    *("model.", "module.", "backbone.", "net.", "encoder.", "encoder_q."),
    *("visual.trunk.", "visual.", "student.", "_orig_mod.", "model.net."),
    *("model._orig_mod.backbone.", "base_model.", "params/"),
  ],
)
def test_the_only_prefix_that_fits_is_removed(tensors, prefix):
  named = _under(prefix, tensors)
  todo = plan_conversion("resnet18", named, **_TINY)
  assert todo.prefix == prefix
  assert f"the prefix {prefix!r} of the names is removed." in todo.notes
  got = convert_weights.convert("resnet18", named, **_TINY)
  _same(got, tensors)
  for form in (prefix, prefix[:-1]):
    got = convert_weights.convert("resnet18", named, prefix=form, **_TINY)
    _same(got, tensors)


def test_what_is_outside_of_the_prefix_is_said(tensors):
  named = _under("backbone.", tensors)
  named["cls_head.fc_cls.weight"] = np.ones((3, 8), np.float32)
  todo = plan_conversion("resnet18", named, **_TINY)
  assert todo.notes[1] == ("1 tensors outside of it: cls_head.fc_cls.weight.")
  reason = todo.mapping.skipped["cls_head.fc_cls.weight"]
  assert reason == "outside of the prefix 'backbone.'"
  used = {name for step in todo.mapping.steps for name in step.tensors}
  assert used | todo.mapping.skipped.keys() == named.keys()


@pytest.mark.parametrize(
  ("first", "second"), [("student.", "teacher."), ("online.", "target.net.")]
)
def test_of_several_networks_a_prefix_is_asked_for(tensors, first, second):
  other = _moved(tensors)
  named = {**_under(first, tensors), **_under(second, other)}
  with pytest.raises(ValueError, match="several networks") as caught:
    convert_weights.convert("resnet18", named, **_TINY)
  assert repr(first) in str(caught.value)
  assert repr(second) in str(caught.value)
  assert "--prefix" in str(caught.value)
  for prefix, want in ((first, tensors), (second, other)):
    got = convert_weights.convert("resnet18", named, prefix=prefix, **_TINY)
    _same(got, want)


@pytest.mark.parametrize(
  ("query", "average"),
  [("encoder_q.", "encoder_k."), ("base_encoder.", "momentum_encoder.")],
)
def test_of_contrastive_learning_the_average_and_the_heads_are_left_out(
  tensors, query, average
):
  body = {n: t for n, t in tensors.items() if not n.startswith("fc.")}
  projection = {
    f"fc.{layer}.{kind}": np.ones((4, 4) if kind == "weight" else 4, "f4")
    for layer in (0, 2)
    for kind in ("weight", "bias")
  }
  named = {
    **_under(f"module.{average}", {**_moved(body), **projection}),
    **_under(f"module.{query}", {**body, **projection}),
    "module.queue": np.ones((4, 8), np.float32),
  }
  todo = plan_conversion(
    "resnet18", named, num_classes=3, allow_missing=["head/*"], **_TINY
  )
  assert todo.prefix == f"module.{query}"
  assert set(todo.mapping.new) == {"params/head/bias", "params/head/kernel"}
  skipped = todo.mapping.skipped
  assert "moving average" in skipped[f"module.{average}conv1.weight"]
  assert "projection" in skipped[f"module.{query}fc.0.weight"]
  assert skipped["module.queue"].startswith("outside")


def test_two_tensors_never_get_one_name(tensors):
  """A tensor without prefix is not used as well, even with the same name."""
  other = _moved(tensors)
  named = {**_under("net.", tensors), "conv1.weight": other["conv1.weight"]}
  todo = plan_conversion("resnet18", named, **_TINY)
  assert "conv1.weight" in todo.mapping.skipped
  _same(convert_weights.convert("resnet18", named, **_TINY), tensors)


def test_names_that_fit_keep_their_first_part(tensors):
  named = {**tensors, **_under("module.", tensors)}
  assert prefixes.strip(named).prefix == ""
  with pytest.raises(ValueError, match=r"\+ module.conv1.weight"):
    convert_weights.convert("resnet18", named, **_TINY)


def test_a_prefix_that_no_name_has(tensors):
  named = _under("net.", tensors)
  with pytest.raises(ValueError, match=r"'model'.*begin with \['net.'\]"):
    convert_weights.convert("resnet18", named, prefix="model", **_TINY)


def test_lightning(tmp_path, tensors, capsys):
  """`state_dict` with "model.", and what Lightning saves next to it."""
  state = {n: torch.tensor(t) for n, t in _under("model.", tensors).items()}
  saved = {
    "epoch": 3,
    "pytorch-lightning_version": "2.5.0",
    "state_dict": {**state, "criterion.weight": torch.ones(3)},
    "hyper_parameters": {"lr": 0.1},
    "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}}],
    "loops": {"fit_loop": {"state_dict": {}}},
  }
  path = tmp_path / "last.ckpt"
  torch.save(saved, path)
  out = tmp_path / "out"
  main(["resnet18", str(path), str(out), *_SETTINGS])
  printed = " ".join(capsys.readouterr().out.split())
  assert "in state_dict" in printed
  assert "the prefix 'model.' of the names is removed" in printed
  assert "criterion.weight" in printed
  description = json.loads((out / "model.json").read_text())
  assert description["source"]["prefix"] == "model."
  assert description["source"]["wrapper"] == "state_dict"
  used = description["report"]["used"]["params/stem_conv/kernel"]
  assert used["tensors"] == ["model.conv1.weight"]
  _same(inference.load_model(out).variables, tensors)


def test_the_command_takes_prefix_and_entry(tmp_path, tensors, capsys):
  state = {n: torch.tensor(t) for n, t in tensors.items()}
  nets = {**_under("a.", state), **_under("b.", state)}
  torch.save({"first": nets, "second": state}, tmp_path / "a.pt")
  commands = (
    ["inspect", str(tmp_path / "a.pt")],
    ["resnet18", str(tmp_path / "a.pt"), str(tmp_path / "out"), *_SETTINGS],
  )
  for command in commands:
    for flags, words in (
      ([], "choose one with entry (--entry)"),
      (["--entry", "first"], "['a.', 'b.']"),
    ):
      with pytest.raises(SystemExit):
        main([*command, *flags])
      assert words in capsys.readouterr().err
  main([*commands[1], "--entry", "first", "--prefix", "b"])
  assert "the prefix 'b.'" in capsys.readouterr().out
