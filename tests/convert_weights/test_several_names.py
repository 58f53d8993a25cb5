"""A tensor that sources name in several ways."""

import jax
import numpy as np
import pytest

from convert_weights.conversion import fill, revert
from convert_weights.rules import layer_norm, linear, under

PLAIN = [*layer_norm("norm", "norm"), *linear("head", "head")]
RULES = [*under(PLAIN, "", "visual"), *PLAIN]
SHAPES = {
  "norm.weight": (4,),
  "norm.bias": (4,),
  "head.weight": (3, 4),
  "head.bias": (3,),
}
TARGET = {
  "params": {
    "norm": {"scale": (4,), "bias": (4,)},
    "head": {"kernel": (4, 3), "bias": (3,)},
  }
}


@pytest.fixture
def target():
  return jax.tree.map(
    lambda shape: jax.ShapeDtypeStruct(shape, np.float32),
    TARGET,
    is_leaf=lambda x: isinstance(x, tuple),
  )


@pytest.mark.parametrize("prefix", ["visual.", ""])
def test_either_name_makes_a_leaf(prefix, target):
  tensors = {prefix + n: np.full(s, 2.0) for n, s in SHAPES.items()}
  made = fill(RULES, tensors, target)
  assert all((leaf == 2).all() for leaf in jax.tree.leaves(made))


def test_both_names_at_once_are_too_many(target):
  tensors = {n: np.zeros(s) for n, s in SHAPES.items()}
  tensors["visual.norm.bias"] = tensors["norm.bias"]
  with pytest.raises(ValueError, match=r"\+ norm.bias \(4,\): no leaf"):
    fill(RULES, tensors, target)


def test_names_all_that_would_do(target):
  tensors = {n: np.zeros(s) for n, s in SHAPES.items() if n != "head.bias"}
  message = r"lacks \['visual.head.bias'\] or \['head.bias'\]"
  with pytest.raises(ValueError, match=message):
    fill(RULES, tensors, target)


def test_the_first_name_is_that_of_the_way_back():
  variables = jax.tree.map(
    np.zeros, TARGET, is_leaf=lambda x: isinstance(x, tuple)
  )
  assert revert(RULES, variables).keys() == {f"visual.{n}" for n in SHAPES}
