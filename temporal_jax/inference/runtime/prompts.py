"""The texts that represent labels: templates filled with them."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

# A label as it is: X-CLIP and ILA are trained with it.
PLAIN = ("{}",)
# For labels of actions: "riding a bike".
ACTIONS = (
  "a video of {}.",
  "a video of a person {}.",
  "a person is {}.",
  "somebody {} in a short clip.",
  "the action of {}.",
)
TEMPLATES: Mapping[str, tuple[str, ...]] = MappingProxyType(
  {"plain": PLAIN, "actions": ACTIONS}
)


def parse_templates(words: Sequence[str]) -> tuple[str, ...]:
  """Returns the templates that are meant, in their order.

  Args:
    words: Templates, each with one {} where the label goes, or names of
      `TEMPLATES`, each for several templates.

  Raises:
    ValueError: If there is none, one is neither, or one is there twice.
  """
  templates = [template for word in words for template in TEMPLATES.get(word, (word,))]
  if not templates:
    raise ValueError("there is no template.")
  for template in templates:
    if template.count("{}") != 1:
      raise ValueError(
        "a template must hold {} once, where the label goes, or be one of "
        f"{', '.join(TEMPLATES)}; got {template!r}."
      )
    if templates.count(template) > 1:
      raise ValueError(f"the template {template!r} is there twice.")
  return tuple(templates)


def check_labels(labels: Sequence[str]) -> tuple[str, ...]:
  """Returns labels without the spaces around them.

  Raises:
    ValueError: If there are fewer than two, one is empty, or two are the same
      except for spaces and capitals, which CLIP's tokens do not distinguish.
  """
  labels = tuple(label.strip() for label in labels)
  if len(labels) < 2:
    raise ValueError(
      "labels must be two or more to choose from, got "
      f"{', '.join(map(repr, labels)) or 'none'}."
    )
  if not all(labels):
    raise ValueError(
      f"label {labels.index('') + 1} of {len(labels)} is empty: {labels}."
    )
  seen: dict[str, str] = {}
  for label in labels:
    key = " ".join(label.casefold().split())
    if key in seen:
      raise ValueError(
        f"the labels {seen[key]!r} and {label!r} are one and the same text."
      )
    seen[key] = label
  return labels


def write_prompts(labels: Sequence[str], templates: Sequence[str] = PLAIN) -> list[str]:
  """Returns P x L texts: all labels in the first template, then in the next."""
  return [template.replace("{}", label) for template in templates for label in labels]


def spaced(name: str) -> str:
  """Returns the words of a class: "brush_hair", "BrushHair" -> "brush hair"."""
  parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.replace("_", " "))
  return " ".join(parted.split()).lower()
