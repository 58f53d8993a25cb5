"""No reference ignores an argument of its class."""

import copy
import dataclasses
import functools
import json
import pathlib
import re

import flax.linen as nn
import pytest

from tests.golden import check
from tests.golden.arguments import Arguments, UnsupportedError
from tests.golden.references import NOT_CARRIED, REFERENCES

HERE = pathlib.Path(__file__).parent


def _constructors():
  """Yields a name, an official class and a constructor of it.

  Those of the cases, and those of whole networks, whose figures are too large
  to be here.
  """
  for path in sorted(HERE.rglob("case.json")):
    fields = json.loads(path.read_text())
    yield path.parent.name, fields
  yield from json.loads((HERE / "networks.json").read_text()).items()


CONSTRUCTORS = {
  name: ((fields["official_file"], fields["official_class"]), fields["constructor"])
  for name, fields in _constructors()
  if (fields["official_file"], fields["official_class"]) not in NOT_CARRIED
}


def _described(value):
  """Returns text of all that a module, its factories and functions hold."""
  if isinstance(value, Arguments):
    return "arguments"  # Nobody sees the arguments that are read after building.
  if isinstance(value, functools.partial):
    return _described(["partial", value.func, value.args, value.keywords])
  if isinstance(value, dict):
    return _described(["dict", *value.items()])
  if isinstance(value, list | tuple | set):
    return f"[{', '.join(_described(item) for item in value)}]"
  if dataclasses.is_dataclass(value) and not isinstance(value, type):
    names = [field.name for field in dataclasses.fields(value)]
    held = {k: getattr(value, k) for k in names if k not in ("parent", "name")}
    return f"{type(value).__name__}{_described(held)}"
  if callable(value) and hasattr(value, "__code__"):
    cells = [cell.cell_contents for cell in value.__closure__ or ()]
    return f"{value.__qualname__}{_described(cells)}"
  return repr(value)


def _built(name, constructor):
  """Returns a reference's values for a constructor, and ignored arguments."""
  arguments = Arguments(constructor)
  made = REFERENCES[CONSTRUCTORS[name][0]].made(arguments)
  return _described(list(made)), arguments.ignored()


def _others(value):
  """Returns other values that an argument might have.

  One may do the same: a single pixel more than patches fill does.
  """
  if isinstance(value, bool):
    return [not value]
  if isinstance(value, int | float):
    return [value + 1, 2 * value + 1]
  return ["other", 1]


def _changed(constructor, path, value):
  """Returns a constructor with one argument changed, "a.b[1]"."""
  changed = copy.deepcopy(constructor)
  *steps, last = [
    int(step) if step.isdigit() else step for step in re.findall(r"\w+", path)
  ]
  place = functools.reduce(lambda values, step: values[step], steps, changed)
  old = place[last]
  place[last] = value
  return changed, old


def _unnoticed(name):
  """Returns the arguments that may change without a change of what is built."""
  constructor = CONSTRUCTORS[name][1]
  built, ignored = _built(name, constructor)
  unnoticed = []
  for path in Arguments(constructor).unread():
    if path in ignored:
      continue
    _, old = _changed(constructor, path, None)
    changes = (_changed(constructor, path, other)[0] for other in _others(old))
    if all(_is_built_alike(name, changed, built) for changed in changes):
      unnoticed.append(path)
  return unnoticed


def _is_built_alike(name, constructor, built):
  """Whether a changed constructor is built as another was, and can be built."""
  try:
    return _built(name, constructor)[0] == built
  except (KeyError, TypeError, ValueError, ZeroDivisionError):
    return False


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_a_reference_notices_every_argument(name):
  assert _unnoticed(name) == []


def test_every_class_is_among_the_constructors():
  assert {source for source, _ in CONSTRUCTORS.values()} == REFERENCES.keys()


@pytest.mark.parametrize("name", ["tam_r3", "tada2dblock", "full_tada2d_r50"])
def test_an_argument_that_nobody_reads_is_named(name):
  constructor = {**CONSTRUCTORS[name][1], "axis": {"of": [0, 1]}}
  with pytest.raises(
    UnsupportedError, match=r"arguments axis\.of\[0\], axis\.of\[1\]$"
  ):
    _built(name, constructor)


def test_a_reference_that_ignores_one_is_found(monkeypatch):
  source, _ = CONSTRUCTORS["tada2dblock"]
  reference = REFERENCES[source]

  def build(constructor):  # It reads the window's side over space, no more.
    constructor.square("pool_k", time=3)
    constructor.ignore(*[key for key in constructor if key != "pool_k"])
    return nn.Dense(constructor["pool_k"][0])

  monkeypatch.setitem(REFERENCES, source, reference._replace(build=build))
  assert _unnoticed("tada2dblock") == []

  def careless(constructor):
    list(constructor["pool_k"])
    constructor.ignore(*[key for key in constructor if key != "pool_k"])
    return nn.Dense(constructor["pool_k"][0])

  monkeypatch.setitem(REFERENCES, source, reference._replace(build=careless))
  assert _unnoticed("tada2dblock") == ["pool_k[1]", "pool_k[2]"]


@pytest.mark.parametrize(
  ("name", "path", "value", "message"),
  [
    ("tada2dblock", "pool_k[2]", 3, r"pool_k=\[3, 1, 3\]"),
    ("tada2dblock", "bn_eps", 1e-3, "bn_eps=0.001"),
    ("tadav2_conv", "internal_rf_func", False, "internal_temp_aggr=True"),
    ("atm_simblock", "window[2]", 11, r"window=\[5, 9, 11\]"),
    ("full_atm_eva_b16", "tsm", "tokenshift", "tsm='tokenshift'"),
    ("full_tada2d_r50", "VIDEO.HEAD.ACTIVATION", "sigmoid", "ACTIVATION='sigmoid'"),
  ],
)
def test_a_value_that_ours_cannot_have_is_named(name, path, value, message):
  changed, _ = _changed(CONSTRUCTORS[name][1], path, value)
  with pytest.raises(UnsupportedError, match=message):
    _built(name, changed)


def test_token_shift_does_nothing_in_clips_tower_with_arithmetic():
  """The authors' `make_tokenshift` sets what no block calls."""
  constructor = CONSTRUCTORS["full_atm_vit_b16"][1]
  shifted, _ = _changed(constructor, "tsm", "tokenshift")
  plain, other = (_built("full_atm_vit_b16", c)[0] for c in (constructor, shifted))
  assert plain == other


def test_the_table_says_which_argument_is_unsupported(tmp_path):
  case = json.loads((HERE / "cases" / "tam_r3" / "case.json").read_text())
  case["constructor"]["causal"] = True
  (tmp_path / "case.json").write_text(json.dumps(case))
  row = check.check(tmp_path)
  assert row.verdict == "unsupported"
  assert row.quantity.endswith("TAM: the arguments causal")
