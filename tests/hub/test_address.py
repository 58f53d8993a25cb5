"""Addresses of repositories."""

import pathlib

import pytest

from temporal_jax import hub
from temporal_jax.hub import Address


@pytest.mark.parametrize(
  ("text", "parts"),
  [
    ("hf://org/name", Address("org/name")),
    ("hf://org/na.me-2_x", Address("org/na.me-2_x")),
    ("hf://org/name@v1.0", Address("org/name", "v1.0")),
    ("hf://org/name@refs/pr/3", Address("org/name", "refs/pr/3")),
    ("hf://org/name/a.pt", Address("org/name", "", "a.pt")),
    ("hf://org/name@main/a/b.pt", Address("org/name", "main", "a/b.pt")),
    ("hf://org/name@refs/pr/3/a.pt", Address("org/name", "refs/pr/3", "a.pt")),
  ],
)
def test_an_address_has_parts(text, parts):
  assert hub.is_address(text)
  assert hub.parse_address(text) == parts
  assert str(parts) == text


def test_a_slash_at_the_end_is_no_part():
  assert hub.parse_address("hf://org/name/") == Address("org/name")


@pytest.mark.parametrize(
  "text",
  [
    "hf://name",
    "hf://",
    "hf://org/",
    "hf://org/name@",
    "hf://org/name@a@b",
    "hf://org/name/../other",
    "hf://org/name//a",
    "hf://or g/name",
    "hf:/org/name",
  ],
)
def test_other_forms_are_refused(text):
  with pytest.raises(ValueError, match="must have the form hf://org/name") as caught:
    hub.parse_address(text)
  assert text in str(caught.value)


def test_only_models_have_weights():
  with pytest.raises(ValueError, match=r"a model, not of datasets\.$"):
    hub.parse_address("hf://datasets/org/name")


@pytest.mark.parametrize("name", ["runs/demo", "/a", pathlib.Path("hf:/a/b"), None])
def test_paths_are_no_addresses(name):
  assert not hub.is_address(name)
