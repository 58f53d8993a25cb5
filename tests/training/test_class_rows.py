"""Classes of loaded weights are found by their names."""

import jax
import numpy as np
import pytest

import temporal_jax
from temporal_jax import training
from temporal_jax.training.class_rows import ClassRows, match_classes


@pytest.mark.parametrize(
  ("loaded", "own", "rows", "words"),
  [
    ("a b c", "a b c", (0, 1, 2), ""),
    ("a b c", "c a b", (2, 0, 1), "3 classes reordered by name"),
    (
      "a b",
      "a b x y",
      (0, 1, -1, -1),
      "2 of 4 classes by name, 2 start anew: ['x', 'y']",
    ),
    (
      "a b c d",
      "d a",
      (3, 0),
      "2 of 2 classes by name, 2 of the weights left out: ['b', 'c']",
    ),
    (
      "a b c",
      "a b x",
      (0, 1, -1),
      "2 of 3 classes by name, 1 start anew: ['x'], 1 of the weights left out: ['c']",
    ),
    (
      "a b c",
      "x y z",
      (-1, -1, -1),
      "no class has the name of one of the 3 of the weights: all 3 classes start anew",
    ),
    (
      "Brush_hair b",
      "brush-hair b",
      (-1, 1),
      "1 of 2 classes by name, 1 start anew: ['brush-hair'], 1 of the weights "
      "left out: ['Brush_hair'] ('brush-hair' is not 'Brush_hair': names must "
      "be equal)",
    ),
    # As one character, and as macOS writes it in names of folders.
    (
      "caf\u00e9 b",
      "cafe\u0301 b",
      (-1, 1),
      "1 of 2 classes by name, 1 start anew: ['cafe\u0301'], 1 of the weights "
      "left out: ['caf\u00e9'] ('cafe\\u0301' is not 'caf\\xe9': names must "
      "be equal)",
    ),
    # Labels that are sorted as text, and as numbers.
    (
      "0 1 10 2 3 4 5 6 7 8 9",
      "0 1 2 3 4 5 6 7 8 9 10",
      (0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 2),
      "11 classes reordered by name",
    ),
    ("2 0 1", "a b c", (1, 2, 0), "the weights have numbers for names"),
    ("a b c", "2 0 1", (2, 0, 1), "the data has numbers for names"),
    ("1 2 3", "a b c", (-1, -1, -1), "no class has the name"),
  ],
)
def test_names_decide(loaded, own, rows, words):
  loaded, own = loaded.split(), own.split()
  got = match_classes(loaded, own, num_loaded=len(loaded))
  assert got.rows == rows
  assert got.num_loaded == len(loaded)
  assert got.words.startswith(words)
  assert bool(got.words) == bool(words)


def test_without_names_the_order_counts_and_that_is_said():
  got = match_classes((), ("a", "b"), num_loaded=2)
  assert got.rows == (0, 1)
  assert got.words == (
    "the names of the weights' 2 classes are unknown: its order is kept"
  )
  got = match_classes((), ("a", "b"), num_loaded=3)
  assert got.rows == (-1, -1)
  assert "3 classes without names: all 2 classes start anew" in got.words
  text_order = sorted(str(i) for i in range(12))
  got = match_classes((), text_order, num_loaded=12)
  assert got.rows == tuple(int(name) for name in text_order)
  assert "taken by number" in got.words


def test_names_that_do_not_fit_are_refused():
  with pytest.raises(ValueError, match=r"the weights have two .*\['a'\]"):
    match_classes(("a", "a"), ("a", "b"), num_loaded=2)
  with pytest.raises(ValueError, match=r"the data have two .*\['b'\]"):
    match_classes(("a", "b"), ("b", "b"), num_loaded=2)
  with pytest.raises(ValueError, match="3 classes, but 2 names"):
    match_classes(("a", "b"), ("a", "b"), num_loaded=3)


@pytest.mark.parametrize(
  ("loaded", "own", "rows", "words"),
  [
    ("ab cd e", "a c e", (0, 1, 2), "3 classes by name, 2 of them by another name"),
    ("c e ab", "a cd e", (2, 0, 1), "3 classes reordered by name, 2 of them by"),
    (
      "ab e f",
      "e a x",
      (1, 0, -1),
      "2 of 3 classes by name, 1 of them by another name: ['a is ab'], 1 start "
      "anew: ['x'], 1 of the weights left out: ['f']",
    ),
    # A class of the name itself comes first.
    ("ab a", "a", (1,), "1 of 1 classes by name, 1 of the weights left out: ['ab']"),
  ],
)
def test_other_names_of_a_class_count(loaded, own, rows, words):
  loaded, own = loaded.split(), own.split()
  same = {"a": "ab", "c": "cd"}
  got = match_classes(loaded, own, num_loaded=len(loaded), same=same)
  assert got.rows == rows
  assert got.words.startswith(words)


def test_many_names_are_shortened():
  names = [f"class {i}" for i in range(9)]
  words = match_classes(("a",), ("a", *names), num_loaded=1).words
  assert words.endswith("'class 4'] and 4 more")


def _variables(num_classes, seed):
  model = temporal_jax.create_model(
    "resnet18", num_classes=num_classes, width=4, stage_sizes=(1,)
  )
  return training.init_variables(model, (1, 2, 8, 8, 3), jax.random.key(seed))


def _rows(loaded, own, task="", prefix="params/head"):
  match = match_classes(loaded, own, num_loaded=len(loaded))
  return {
    f"{prefix}/kernel": ClassRows(1, task, match),
    f"{prefix}/bias": ClassRows(0, task, match),
  }


def _graft(fresh, loaded, rows):
  return training.graft(fresh, loaded, replaceable="params/head/.*", rows=rows)


def test_rows_of_a_head_go_to_their_names():
  fresh, loaded = _variables(3, seed=0), _variables(4, seed=1)
  loaded["params"]["head"]["bias"] = np.arange(4.0, dtype=np.float32)
  got = _graft(fresh, loaded, _rows("abcd", ("d", "x", "a")))
  head = got.variables["params"]["head"]
  want = loaded["params"]["head"]["kernel"]
  np.testing.assert_array_equal(head["kernel"][:, 0], want[:, 3])
  np.testing.assert_array_equal(head["kernel"][:, 2], want[:, 0])
  np.testing.assert_array_equal(
    head["kernel"][:, 1], fresh["params"]["head"]["kernel"][:, 1]
  )
  np.testing.assert_array_equal(head["bias"], [3, 0, 0])
  assert got.kept == ()
  assert got.partly == ("params/head/bias", "params/head/kernel")
  for name in ("stem_conv", "stage1_block1"):
    jax.tree.map(
      np.testing.assert_array_equal,
      got.variables["params"][name],
      loaded["params"][name],
    )


def test_a_head_of_other_names_stays_fresh_even_if_it_fits():
  fresh, loaded = _variables(3, seed=0), _variables(3, seed=1)
  got = _graft(fresh, loaded, _rows("abc", "xyz"))
  assert got.kept == ("params/head/bias", "params/head/kernel")
  assert got.partly == ()
  np.testing.assert_array_equal(
    got.variables["params"]["head"]["kernel"], fresh["params"]["head"]["kernel"]
  )


def test_tasks_go_each_their_way():
  sizes = {"verb": 3, "noun": 2}
  fresh, loaded = _variables(sizes, seed=0), _variables(sizes, seed=1)
  rows = _rows("abc", "bca", "verb", "params/head/verb")
  rows |= _rows("xy", "pq", "noun", "params/head/noun")
  got = _graft(fresh, loaded, rows)
  head = got.variables["params"]["head"]
  np.testing.assert_array_equal(
    head["verb"]["kernel"],
    loaded["params"]["head"]["verb"]["kernel"][:, [1, 2, 0]],
  )
  np.testing.assert_array_equal(
    head["noun"]["kernel"], fresh["params"]["head"]["noun"]["kernel"]
  )
  assert got.kept == ("params/head/noun/bias", "params/head/noun/kernel")


def test_kernel_and_bias_stay_together():
  fresh, loaded = _variables(3, seed=0), _variables(3, seed=1)
  kernel = loaded["params"]["head"]["kernel"]
  loaded["params"]["head"]["kernel"] = np.concatenate([kernel, kernel])
  loaded["params"]["head"]["bias"] = np.ones(3, np.float32)
  got = _graft(fresh, loaded, _rows("abc", "cab"))
  assert got.kept == ("params/head/bias", "params/head/kernel")
  np.testing.assert_array_equal(got.variables["params"]["head"]["bias"], 0)


def test_leaves_with_an_entry_per_class_are_found():
  def shapes(**sizes):
    return jax.eval_shape(lambda: _variables(sizes, seed=0))

  got = training.class_axes(
    shapes(verb=4, noun=4), shapes(verb=5, noun=6), {"verb": 1, "noun": 2}
  )
  assert got == {
    "params/head/verb/kernel": (1, "verb"),
    "params/head/verb/bias": (0, "verb"),
    "params/head/noun/kernel": (1, "noun"),
    "params/head/noun/bias": (0, "noun"),
  }
