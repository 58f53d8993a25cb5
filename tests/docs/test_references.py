"""Names in backticks in docstrings, such as `module.name`, exist."""

import ast
import collections
import functools
import importlib
import pathlib
import re
import sys

import pytest

from configs import base

ROOT = pathlib.Path(__file__).parents[2]
# `files.read` and `files.read(x)`: a module is first, in lower case.
_REFERENCE = re.compile(r"`([a-z_]\w*(?:\.\w+)+)(?:\([^`]*\))?`")
# Names of files.
_ENDINGS = ("json", "py", "safetensors")
# Libraries by the name that the code gives them.
_LIBRARIES = {"jax": "jax", "jnp": "jax.numpy", "np": "numpy", "optax": "optax"}
# What a name stands for where it is neither a module nor an argument.
_OTHERS = {
  "compiled.as_text": "a compiled program of jax",
  "model.apply": "a network of flax",
  "network.init": "a network of flax",
  "trackio.init": "a package that may be missing",
  "wandb.init": "a package that may be missing",
}


def _modules():
  """Returns the names of modules and packages by their last part."""
  found = collections.defaultdict(set)
  for top in ("temporal_jax", "convert_weights", "benchmarks"):
    for path in (ROOT / top).rglob("*.py"):
      parts = path.relative_to(ROOT).with_suffix("").parts
      parts = parts[:-1] if parts[-1] == "__init__" else parts
      found[parts[-1]].add(".".join(parts))
  found["benchmarks"].add("benchmarks")
  return found


MODULES = _modules()
FILES = [
  path
  for top in ("temporal_jax", "convert_weights")
  for path in sorted((ROOT / top).rglob("*.py"))
  if "temporal_jax/configs" not in path.as_posix()  # A link.
]


def _docstrings(node, names=frozenset()):
  """Yields docstrings, each with the arguments and attributes it may name."""
  if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
    of = node.args
    every = (*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg)
    names = names | {one.arg for one in every if one}
  elif isinstance(node, ast.ClassDef):
    fields = (one.target for one in node.body if isinstance(one, ast.AnnAssign))
    names = names | {field.id for field in fields if isinstance(field, ast.Name)}
    methods = (one for one in node.body if isinstance(one, ast.FunctionDef))
    names = names | {method.name for method in methods}
  if isinstance(
    node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module
  ):
    yield ast.get_docstring(node) or "", names
  for child in ast.iter_child_nodes(node):
    yield from _docstrings(child, names)


def _has(owner, parts):
  """Whether a module has a name, and that a name of its own, and so on."""
  for part in parts:
    if not hasattr(owner, part):
      try:
        owner = importlib.import_module(f"{owner.__name__}.{part}")
      except (AttributeError, ImportError):
        return False
    else:
      owner = getattr(owner, part)
  return True


@functools.cache
def _config():
  return base.get_config()


def _is_field(parts):
  """Whether names are a field of a run's config."""
  value = _config()
  for part in parts:
    if not hasattr(value, "keys") or part not in value:
      return False
    value = value[part]
  return True


@functools.cache
def _exists(reference):
  first, *rest = reference.split(".")
  if rest[-1] in _ENDINGS or reference in _OTHERS:
    return True
  if first in sys.stdlib_module_names or first in _LIBRARIES:
    return _has(importlib.import_module(_LIBRARIES.get(first, first)), rest)
  if _is_field(rest if first == "config" else [first, *rest]):
    return True
  found = MODULES.get(first, ())
  return any(_has(importlib.import_module(name), rest) for name in found)


def _wrong(text):
  """Returns the references in a file's docstrings that lead nowhere."""
  return [
    match[1]
    for docstring, names in _docstrings(ast.parse(text))
    for match in _REFERENCE.finditer(" ".join(docstring.split()))
    if match[1].split(".")[0] not in names and not _exists(match[1])
  ]


def test_references_in_docstrings_exist():
  wrong = {
    f"{path.relative_to(ROOT)}": found
    for path in FILES
    if (found := _wrong(path.read_text()))
  }
  assert not wrong


@pytest.mark.parametrize(
  ("text", "wrong"),
  [
    ("see `resize.resize_bicubic`", []),
    ("see `ops.resize`, `inspect.getdoc(x)`, `optim.lr` and `config.optim.lr`", []),
    ("see `resize.gone`", ["resize.gone"]),
    ("see `gone.resize_bicubic`", ["gone.resize_bicubic"]),
    ("see `jax.gone` and `optim.gone`", ["jax.gone", "optim.gone"]),
    ("see `gone.x` of the argument `gone`", []),
  ],
)
def test_wrong_references_are_found(text, wrong):
  argument = "gone" if "argument" in text else "other"
  assert _wrong(f'def f({argument}):\n  """{text}"""\n') == wrong
