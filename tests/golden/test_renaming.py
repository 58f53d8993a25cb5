"""Golden cases are renamed by what users convert with, and by nothing else."""

import ast
import json
import pathlib

import pytest

from temporal_jax.models.catalog.registry import MODELS
from tests.support import network_shapes

HERE = pathlib.Path(__file__).parent
REFERENCES = sorted((HERE / "references").glob("*.py"))


def _parts():
  """Parts of tensors' names, in the cases and in the rules."""
  names = set()
  for path in HERE.rglob("case.json"):
    names |= json.loads(path.read_text())["state_dict"].keys()
  for row in MODELS:
    network = network_shapes.build(row)
    for source in network_shapes.SOURCES.values():
      rules = source.rules(network) if source.takes(network) else ()
      names |= {name for rule in rules for name in rule.tensors}
  return {part for name in names for part in name.split(".")}


PARTS = _parts()


def _own_names(source):
  """Returns the tensors' names that a file of references has by itself.

  Of the converter it may use what is in `sources`, and `under` to put leaves,
  not tensors, under a name. Where it makes rules it may not write what any part
  of a tensor's name begins with.
  """
  tree = ast.parse(source)
  found = []
  for node in ast.walk(tree):
    if isinstance(node, ast.ImportFrom) and node.module:
      found += _foreign(node.module, [alias.name for alias in node.names])
    elif isinstance(node, ast.Import):
      found += [a.name for a in node.names if _is_converters(a.name)]
    elif isinstance(node, ast.Call) and _name(node.func) == "under":
      tensor = node.args[2] if len(node.args) == 3 else None
      if not isinstance(tensor, ast.Constant) or tensor.value != "":
        found.append(ast.unparse(node))
    elif _makes_rules(node):
      found += [text for text in _texts(node) if _is_of_a_name(text)]
  return found


def _is_converters(module):
  return module.split(".")[0] == "convert_weights"


def _foreign(module, names):
  """Returns imports of the converter that should not be there."""
  if not _is_converters(module) or module == "convert_weights.formats":
    return []
  allowed = {"under"} if module == "convert_weights.rules" else set()
  return [f"{module}.{name}" for name in names if name not in allowed]


def _makes_rules(node):
  is_named = isinstance(node, ast.FunctionDef) and "rules" in node.name
  return is_named or (isinstance(node, ast.keyword) and node.arg == "rules")


def _texts(node):
  """Returns texts in code, except for what is asked of a constructor, and
  leaves.

  Those are keys, what a value is compared with, and the second argument of
  `under`.
  """
  if isinstance(node, ast.Constant):
    return [node.value] if isinstance(node.value, str) else []
  if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
    return []  # A docstring.
  children = list(ast.iter_child_nodes(node))
  if isinstance(node, ast.Subscript):
    children = [node.value]
  elif isinstance(node, ast.Compare):
    children = []
  elif isinstance(node, ast.Call) and _name(node.func) == "get":
    children = node.args[1:]
  elif isinstance(node, ast.Call) and _name(node.func) == "under":
    children = [node.args[0], *node.args[2:]]
  return [text for child in children for text in _texts(child)]


def _name(function):
  return getattr(function, "attr", getattr(function, "id", ""))


def _is_of_a_name(text):
  first = text.split(".")[0]
  return bool(first) and any(part.startswith(first) for part in PARTS)


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.stem)
def test_references_have_no_renaming_of_their_own(path):
  assert _own_names(path.read_text()) == []


@pytest.mark.parametrize(
  "source",
  [
    "from convert_weights.rules import Rule",
    "from convert_weights import rules",
    "import convert_weights.rules",
    'def _rules(c):\n  return under(atm.modeling(), "x", "control_point_c")',
    'def _rules(c):\n  return under(atm.modeling(), "x", NAME)',
    'def _rules(c):\n  return blvnet.network("baseline_model.fc")',
    'def _rules(c):\n  head = "new_fc" if c["drop"] else "fc"\n  return head',
    'Reference(rules=lambda c: resnet3d.net(("slow_", "fast_")[c["place"]]))',
  ],
)
def test_a_renaming_of_its_own_is_found(source):
  assert _own_names(source)
