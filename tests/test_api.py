"""Conventions that hold for all public names."""

import inspect

import flax.linen as nn
import jax
import pytest

from temporal_jax import (
  data,
  evaluation,
  inference,
  layers,
  models,
  ops,
  training,
)

PACKAGES = (ops, layers, models, data, training, evaluation, inference)
PUBLIC = [
  pytest.param(getattr(package, name), id=f"{package.__name__}.{name}")
  for package in PACKAGES
  for name in package.__all__
  if callable(getattr(package, name))
]
FUNCTIONS = [p for p in PUBLIC if inspect.isfunction(p.values[0])]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.__name__)
def test_all_is_sorted_and_complete(package):
  constants = [name for name in package.__all__ if name.isupper()]
  others = [name for name in package.__all__ if not name.isupper()]
  classes = [name for name in others if name[0].isupper()]
  functions = [name for name in others if name[0].islower()]
  assert package.__all__ == (sorted(constants) + sorted(classes) + sorted(functions))


@pytest.mark.parametrize("item", PUBLIC)
def test_is_documented(item):
  assert item.__doc__
  assert not item.__doc__.startswith(f"{item.__name__}(")
  if inspect.isclass(item):
    attributes = vars(item).get("__annotations__", {})
    for name, method in vars(item).items():
      public = not name.startswith("_") and name not in attributes
      if inspect.isfunction(method) and public:
        assert method.__doc__, f"{item.__name__}.{name}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_argument_is_annotated(function):
  signature = inspect.signature(function)
  for parameter in signature.parameters.values():
    assert parameter.annotation is not parameter.empty, parameter
  assert signature.return_annotation is not signature.empty


@pytest.mark.parametrize("function", [getattr(ops, name) for name in ops.__all__])
def test_operators_take_features_first_and_options_by_name(function):
  first, *others = inspect.signature(function).parameters.values()
  assert first.name in ("x", "q", "key", "points")
  for parameter in others:
    is_array = parameter.annotation is jax.Array
    assert is_array != (parameter.kind is parameter.KEYWORD_ONLY), parameter


@pytest.mark.parametrize("function", FUNCTIONS)
def test_key_comes_first(function):
  names = list(inspect.signature(function).parameters)
  assert "key" not in names[1:] or function is training.init_variables


@pytest.mark.parametrize("name", layers.__all__)
def test_layers_are_modules_with_documented_attributes(name):
  layer = getattr(layers, name)
  assert issubclass(layer, nn.Module)
  for name in vars(layer)["__annotations__"].keys() - {"parent", "name"}:
    assert f"{name}: " in layer.__doc__, name
