"""Checks of arguments name the argument, its value and what is allowed."""

import math

import numpy as np
import pytest

from temporal_jax import validation


@pytest.mark.parametrize(
  ("check", "values", "allowed"),
  [
    (validation.check_number, (0, 0.5, 1), (0, 1)),
    (validation.check_number, (0, 1e300), (0,)),
    (validation.check_whole, (2, 10**9, np.int64(2)), (2,)),
    (validation.check_at_least, (1, 1.5, math.inf), (1,)),
    (validation.check_range, ((0.1, 0.1), [0.5, 1]), (0, 1)),
    (validation.check_choice, ("a", "b"), (("a", "b"),)),
  ],
)
def test_what_is_allowed_passes(check, values, allowed):
  for value in values:
    check("x", value, *allowed)


def test_templates_have_the_fields_that_are_given():
  assert validation.fill_template("path", "a/{id}_{n:03d}", id="x", n=7) == "a/x_007"
  for template in ("{other}", "{}", "{0}", "{id.name}", "{id", "{id:d}"):
    with pytest.raises(ValueError, match="path may have only the fields") as caught:
      validation.fill_template("path", template, id="x", n=7)
    assert f"{{id}}, {{n}} in braces, got {template!r}." in str(caught.value)


@pytest.mark.parametrize(
  ("check", "value", "allowed", "message"),
  [
    ("number", 1.1, (0, 1), "x must be a number in [0, 1], got 1.1."),
    ("number", True, (0, 1), "x must be a number in [0, 1], got True."),
    ("number", math.nan, (0, 1), "x must be a number in [0, 1], got nan."),
    ("number", "1", (0, 1), "x must be a number in [0, 1], got '1'."),
    ("whole", 1, (2,), "x must be an integer of at least 2, got 1."),
    ("whole", 2.0, (2,), "x must be an integer of at least 2, got 2.0."),
    ("whole", True, (0,), "x must be an integer of at least 0, got True."),
    ("whole", np.True_, (0,), "x must be an integer of at least 0, got np.True_."),
    ("at_least", 0, (1,), "x must be at least 1, got 0."),
    ("at_least", math.nan, (1,), "x must be at least 1, got nan."),
    ("range", 0.5, (0, 1), "x must be (lowest, highest), got 0.5."),
    ("range", (0, 1), (0, 1), "x must be 0 < lowest <= highest, got (0, 1)."),
    ("range", (0.9, 0.1), (0, 1), "x must be 0 < lowest <= highest, got (0.9, 0.1)."),
    ("range", (0.5, 2), (0, 1), "x must be a number in [0, 1], got 2."),
    ("choice", "c", (("a", "b"),), "x must be one of ['a', 'b'], got 'c'."),
  ],
)
def test_the_rest_is_refused(check, value, allowed, message):
  with pytest.raises(ValueError, match="x must be") as caught:
    getattr(validation, f"check_{check}")("x", value, *allowed)
  assert str(caught.value) == message
