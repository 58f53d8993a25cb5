"""Imports run one way, and heavy or foreign packages stay out."""

import ast
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

from temporal_jax import cli, extras

# Modules for all parts. They import nothing but each other and Python's own.
COMMON = {
  "binomial",
  "config_strings",
  "field_types",
  "lookup",
  "thread_map",
  "validation",
}
# For each part of the package, the parts that it may import.
BELOW = {
  "ops": set(),
  "layers": {"ops"},
  "models": {"ops", "layers", "display"},
  "display": {"storage"},
  "storage": set(),
  "untrusted": set(),
  "text": set(),
  "configs": {"configs"},
  "data": {"display", "storage", "untrusted"},
  "training": {"layers", "display", "storage", "untrusted"},
  "evaluation": {"display", "storage", "untrusted"},
  "hub": set(),
  "saved_networks": {"models", "data", "training", "hub", "storage", "untrusted"},
  "localization": {
    "ops",
    "layers",
    "models",
    "data",
    "training",
    "saved_networks",
    "evaluation",
    "display",
    "storage",
    "untrusted",
  },
  "inference": {
    "ops",
    "layers",
    "models",
    "data",
    "training",
    "evaluation",
    "hub",
    "saved_networks",
    "localization",
    "display",
    "storage",
    "text",
    "untrusted",
  },
  "commands": {
    "config_files",
    "extras",
    "train",
    "models",
    "data",
    "evaluation",
    "hub",
    "saved_networks",
    "inference",
    "localization",
    "display",
    "storage",
  },
  "experiment": {
    "config_files",
    "models",
    "data",
    "training",
    "evaluation",
    "hub",
    "inference",
    "saved_networks",
    "localization",
    "display",
    "storage",
    "text",
    "untrusted",
    "temporal_jax",  # Its version and `create_model`.
  },
}
BANNED = {"configs", "convert_weights", "ml_collections", "tensorflow", "torch"}
ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "temporal_jax"


def _imports(file):
  for node in ast.walk(ast.parse(file.read_text())):
    if isinstance(node, ast.ImportFrom):
      assert node.level == 0, f"{file}: absolute imports only"
      yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)


def test_every_part_has_its_place():
  parts = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
  assert parts - {"__pycache__"} == set(BELOW)


@pytest.mark.parametrize("layer", BELOW)
def test_imports_only_below(layer):
  banned = BANNED | ({"flax"} if layer == "ops" else set())
  banned -= {"ml_collections"} if layer in ("configs", "experiment") else set()
  for file in (PACKAGE / layer).rglob("*.py"):
    for name in _imports(file):
      top, *rest = name.split(".")
      assert top not in banned, (file, name)
      if top == "temporal_jax":
        part = rest[0] if rest else top
        assert part in BELOW[layer] | COMMON | {layer}, (file, name)


@pytest.mark.parametrize("module", sorted(COMMON))
def test_common_modules_import_only_python(module):
  for name in _imports(PACKAGE / f"{module}.py"):
    top, *rest = name.split(".")
    if top == "temporal_jax":
      assert rest[0] in COMMON, name
    else:
      assert top in sys.stdlib_module_names, name


def test_near_names_are_found_in_one_place():
  for file in [*PACKAGE.rglob("*.py"), *(ROOT / "convert_weights").rglob("*.py")]:
    assert "difflib" not in set(_imports(file)) or file.name == "lookup.py", file


def test_files_are_short():
  # 400 lines hold one topic with its docstrings; the field's files do as well.
  for file in PACKAGE.rglob("*.py"):
    assert len(file.read_text().splitlines()) <= 400, f"{file}: two ideas?"


_BLOCK = """
import importlib, sys
import temporal_jax
from temporal_jax import extras
class Blocker:
  def find_spec(self, name, path=None, target=None):
    if name.split(".")[0] in BLOCKED:
      raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocker())
"""
# Operators, layers and models need jax, flax, einops, numpy and optax alone.
_NETWORKS = """
BLOCKED = {"torch", "tensorflow", "av", "matplotlib", "skimage", "PIL", *extras.TRAIN}
import temporal_jax.ops, temporal_jax.layers
temporal_jax.create_model("resnet18", num_classes=2)
"""
# Inference, its commands and conversion need the core's requirements alone.
_CORE = """
BLOCKED = {"torch", "tensorflow", "skimage", "tokenizers", *extras.TRAIN}
import pkgutil, convert_weights.__main__, temporal_jax.commands
for package in (temporal_jax.inference, temporal_jax.commands):
  for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
    importlib.import_module(module.name)
"""
_ALL = """
BLOCKED = {"torch", "tensorflow"}
import temporal_jax.data, temporal_jax.training, temporal_jax.evaluation
import temporal_jax.data.datasets.camera_motion, temporal_jax.train
"""


@pytest.mark.parametrize(
  "code", [_NETWORKS, _CORE, _ALL], ids=["networks", "core", "all"]
)
def test_import_needs_only_what_it_should(code):
  subprocess.run([sys.executable, "-c", _BLOCK + code], cwd=ROOT, check=True)


def test_the_extra_train_is_what_pyproject_says():
  project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
  listed = project["optional-dependencies"]["train"]
  names = [re.match(r"[\w-]+", line)[0].replace("-", "_") for line in listed]
  assert sorted(extras.TRAIN, key=str.lower) == sorted(names, key=str.lower)


@pytest.mark.parametrize(
  "words",
  [
    ["train", "--config=finetune", "--workdir=run"],
    ["data", "build", "mine", ".", "out"],
  ],
)
def test_a_missing_extra_is_named_in_a_sentence(words, monkeypatch, capsys):
  monkeypatch.setitem(sys.modules, "grain", None)
  assert cli.main(words) == 2
  command = " ".join(words[:2]) if words[0] == "data" else "training"
  assert capsys.readouterr().err == (
    f"temporal-jax {words[0]}: {command} needs grain: "
    "run `pip install '.[train]'` in a copy of the repository.\n"
  )
