"""Conventions that hold for all public names."""

import ast
import dataclasses
import inspect
import pathlib
import subprocess
import sys

import flax.linen as nn
import jax
import pytest

import temporal_jax
from temporal_jax import (
  data,
  evaluation,
  inference,
  layers,
  localization,
  models,
  ops,
  training,
)
from tests.support.public_names import public_names

ROOT = pathlib.Path(__file__).parents[1]
INITS = [
  path
  for top in ("temporal_jax", "convert_weights")
  for path in sorted((ROOT / top).rglob("__init__.py"))
]
PACKAGES = (
  ops,
  layers,
  models,
  localization,
  data,
  training,
  evaluation,
  inference,
)
PUBLIC = [
  pytest.param(getattr(package, name), id=f"{package.__name__}.{name}")
  for package in PACKAGES
  for name in public_names(package)
  if callable(getattr(package, name))
]
FUNCTIONS = [p for p in PUBLIC if inspect.isfunction(p.values[0])]


@pytest.mark.parametrize("init", INITS, ids=lambda p: str(p.relative_to(ROOT)))
def test_public_names_are_written_once(init):
  """As `from x import y as y`, where a package is nothing but its names."""
  tree = ast.parse(init.read_text())
  assert "__all__" not in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
  if all(isinstance(node, ast.Expr | ast.ImportFrom) for node in tree.body):
    for node in tree.body[1:]:
      assert all(alias.asname == alias.name for alias in node.names), node.module


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.__name__)
def test_public_names_are_there_and_distinct(package):
  names = public_names(package)
  assert len(set(names)) == len(names) > 10
  assert all(hasattr(package, name) for name in names)


_LAZY = """
import sys
import temporal_jax
assert not {"jax", "flax", "numpy"} & sys.modules.keys()
before = dir(temporal_jax)
for name in sys.argv[1:]:
  assert name in before, name
  assert getattr(temporal_jax, name).__name__ == f"temporal_jax.{name}"
assert temporal_jax.create_model is temporal_jax.models.create_model
assert temporal_jax.ops.temporal_shift
"""


def test_the_package_is_light_and_has_its_parts():
  names = [package.__name__.partition(".")[2] for package in PACKAGES]
  subprocess.run([sys.executable, "-c", _LAZY, *names], cwd=ROOT, check=True)


def test_other_names_are_refused():
  with pytest.raises(
    AttributeError, match=r"no 'opps'; it has \['Localizer', 'Predictor', "
  ):
    _ = temporal_jax.opps
  assert "create_model" in dir(temporal_jax)


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


@pytest.mark.parametrize("function", [getattr(ops, name) for name in public_names(ops)])
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


@pytest.mark.parametrize("name", public_names(layers))
def test_layers_are_modules_with_documented_attributes(name):
  layer = getattr(layers, name)
  assert issubclass(layer, nn.Module)
  attributes = {field.name for field in dataclasses.fields(layer)}
  for name in attributes - {"parent", "name"}:
    assert f"{name}: " in layer.__doc__, name
