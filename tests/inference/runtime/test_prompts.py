import pytest

from temporal_jax.inference.runtime import prompts


def test_labels_stand_in_templates():
  texts = prompts.write_prompts(["falling", "a {b} c"], ["{}", "a {} b."])
  assert texts == ["falling", "a {b} c", "a falling b.", "a a {b} c b."]


def test_names_stand_for_templates():
  own = "somebody is {}"
  assert prompts.parse_templates(["plain", own]) == ("{}", own)
  assert prompts.parse_templates(["actions"]) == prompts.ACTIONS
  assert all(template.count("{}") == 1 for template in prompts.ACTIONS)


@pytest.mark.parametrize(
  ("words", "message"),
  [
    ([], "there is no template"),
    (["a video"], r"must hold \{\} once.*plain, actions; got 'a video'"),
    (["{} and {}"], "got '{} and {}'"),
    (["{}", "plain"], "'{}' is there twice"),
  ],
)
def test_templates_that_are_none(words, message):
  with pytest.raises(ValueError, match=message):
    prompts.parse_templates(words)


def test_labels_lose_the_spaces_around_them():
  assert prompts.check_labels([" riding a bike", "falling "]) == (
    "riding a bike",
    "falling",
  )


@pytest.mark.parametrize(
  ("labels", "message"),
  [
    ([], "two or more to choose from, got none"),
    (["falling"], "two or more to choose from, got 'falling'"),
    (["falling", " ", "waving"], "label 2 of 3 is empty"),
    (["riding a bike", "falling", "Riding  a bike"], "one and the same text"),
  ],
)
def test_labels_that_are_none(labels, message):
  with pytest.raises(ValueError, match=message):
    prompts.check_labels(labels)


@pytest.mark.parametrize(
  ("name", "words"),
  [
    ("brush_hair", "brush hair"),
    ("ApplyEyeMakeup", "apply eye makeup"),
    ("YoYo", "yo yo"),
    ("riding a bike", "riding a bike"),
  ],
)
def test_names_of_classes_in_words(name, words):
  assert prompts.spaced(name) == words
