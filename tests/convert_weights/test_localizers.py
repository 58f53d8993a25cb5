"""Weights of localization networks, there and back."""

import functools

import flax.traverse_util as trees
import jax
import numpy as np
import pytest

from convert_weights.localizers import (
  convert_localizer,
  localizer_to_torch,
  read_localizer,
)
from temporal_jax.localization import create_localizer
from tests.golden.case import Case
from tests.golden.test_cases import CASES

TINY_BMN = {
  "width": 8,
  "proposal_width": 6,
  "map_width": 4,
  "bins": 2,
  "durations": 3,
  "num_classes": {"verb": 3, "noun": 2},
}
TINY_ACTIONFORMER = {
  "width": 8,
  "windows": 3,
  "ranges": ((0, 4), (4, 100)),
  "num_classes": 3,
}
FORMS = [
  ("bmn", {**TINY_BMN, "regression": True}),
  ("bmn", {**TINY_BMN, "num_classes": None, "base_layers": 1}),
  ("actionformer", TINY_ACTIONFORMER),
  ("actionformer", {**TINY_ACTIONFORMER, "top_down": True, "relative_bias": True}),
]


@functools.cache
def _tensors(form):
  """The channels, random variables and their tensors."""
  name, arguments = FORMS[form]
  inputs = [np.zeros((1, 8, 12), np.float32)]
  if name == "actionformer":
    inputs.append(np.ones((1, 8), bool))
  network = create_localizer(name, **arguments)
  shapes = jax.eval_shape(network.init, jax.random.key(0), *inputs)
  rng = np.random.default_rng(0)
  variables = jax.tree.map(lambda x: rng.random(x.shape, np.float32), shapes)
  return variables, localizer_to_torch(name, variables, channels=12, **arguments)


@pytest.mark.parametrize(
  "form", [0, 2, *(pytest.param(form, marks=pytest.mark.slow) for form in (1, 3))]
)
def test_there_and_back(form):
  name, arguments = FORMS[form]
  variables, tensors = _tensors(form)
  shown = ("num_classes", "durations", "bins", "base_layers", "regression")
  shown += ("top_down", "relative_bias")
  rest = {k: v for k, v in arguments.items() if k not in shown}
  back = convert_localizer(name, tensors, **rest)
  assert back.channels == 12
  for key, value in arguments.items():
    assert getattr(back.network, key) == value
  leaves = trees.flatten_dict(variables, sep="/")
  for leaf, value in trees.flatten_dict(back.variables, sep="/").items():
    np.testing.assert_array_equal(value, leaves.pop(leaf), err_msg=leaf)
  assert not leaves


@pytest.mark.parametrize(("form", "case"), [(0, "bmn_net"), (2, "af_net")])
def test_names_are_those_of_the_authors(form, case):
  """With as many blocks as the tiny networks have."""
  (path,) = (path for path in CASES if path.name == case)
  wanted = Case.read(path).fields["state_dict"]
  _, tensors = _tensors(form)
  assert tensors.keys() <= wanted.keys()
  for name, tensor in tensors.items():
    assert tensor.ndim == len(wanted[name][0]), name
  if form == 0:
    assert tensors.keys() == wanted.keys()


def test_a_tensor_too_few_or_too_many_is_named():
  _, tensors = _tensors(2)
  arguments = {"windows": 3, "ranges": TINY_ACTIONFORMER["ranges"]}
  damaged = {**tensors, "backbone.proj.0.conv.weight": np.zeros((2, 2), np.float32)}
  del damaged["reg_head.scale.1.scale"]
  with pytest.raises(ValueError, match=r"\+ backbone.proj.0.conv.weight") as error:
    convert_localizer("actionformer", damaged, **arguments)
  assert "- params/scale2 ()" in str(error.value)


def test_other_arguments_than_the_tensors_show_are_refused():
  _, tensors = _tensors(0)
  with pytest.raises(ValueError, match=r"durations 5 was asked for, but .* have 3"):
    convert_localizer("bmn", tensors, durations=5)
  with pytest.raises(ValueError, match=r"lack 'backbone\.embd\.0\.conv\.weight'"):
    convert_localizer("actionformer", tensors)


def test_variables_of_another_network_are_refused():
  variables, _ = _tensors(1)
  with pytest.raises(ValueError, match="these variables are not of bmn"):
    localizer_to_torch("bmn", variables, channels=12, num_classes=None)


@pytest.mark.slow
def test_moving_averages_are_preferred(tmp_path):
  torch = pytest.importorskip("torch")
  _, tensors = _tensors(2)
  weights = {f"module.{k}": torch.tensor(v) for k, v in tensors.items()}
  averages = {name: tensor + 1 for name, tensor in weights.items()}
  file = tmp_path / "epoch_035.pth.tar"
  torch.save({"epoch": 35, "state_dict": weights, "state_dict_ema": averages}, file)
  checkpoint, note = read_localizer(file)
  assert note == "the moving average of the weights is taken."
  for name, tensor in tensors.items():
    np.testing.assert_array_equal(checkpoint.tensors[name], tensor + 1)
  torch.save({"state_dict": weights}, file)
  checkpoint, note = read_localizer(file)
  assert "has no moving average" in note
  np.testing.assert_array_equal(
    checkpoint.tensors["reg_head.scale.0.scale"], tensors["reg_head.scale.0.scale"]
  )
