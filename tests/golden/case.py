"""A golden case: what went into the authors' code and what came out."""

import dataclasses
import functools
import json
import pathlib
import re
from typing import Any

import numpy as np

from tests.golden import weights


@dataclasses.dataclass(frozen=True)
class Tensor:
  """An input or output of the authors' code.

  Attributes:
    shape: Its official shape.
    layout: Its axes as one side of an einops pattern.
    step: Every step-th element is stored, in C order.
  """

  shape: tuple[int, ...]
  layout: str
  step: int = 1


@dataclasses.dataclass(frozen=True)
class Case:
  """One folder of golden figures, as its case.json tells it."""

  path: pathlib.Path
  fields: dict[str, Any]

  @classmethod
  def read(cls, path: pathlib.Path) -> "Case":
    """Reads a case's folder."""
    return cls(path, json.loads((path / "case.json").read_text()))

  @property
  def name(self) -> str:
    return self.fields["name"]

  @property
  def source(self) -> tuple[str, str]:
    """The official file and class."""
    return self.fields["official_file"], self.fields["official_class"]

  @property
  def constructor(self) -> dict[str, Any]:
    return self.fields["constructor"]

  @property
  def train(self) -> bool:
    return self.fields["mode"] == "train"

  @functools.cached_property
  def expected(self) -> dict[str, np.ndarray]:
    """The stored figures: outputs, "grad:", "grad_param:" and "state:"."""
    with np.load(self.path / "io.npz") as stored:
      return dict(stored)

  @functools.cached_property
  def input_layouts(self) -> dict[str, Tensor]:
    return {k: _tensor(v) for k, v in self.fields["input"].items()}

  @functools.cached_property
  def output_layouts(self) -> dict[str, Tensor]:
    return {k: _tensor(v) for k, v in self.fields["output"].items()}

  def inputs(self) -> dict[str, np.ndarray]:
    """Returns the inputs in the official layout; integers are stored."""
    salt, stored = self.fields["salt"], self.expected
    return {
      name: stored[f"input:{name}"]
      if f"input:{name}" in stored
      else weights.draw_input(name, tensor.shape, salt)
      for name, tensor in self.input_layouts.items()
    }

  def tensors(self) -> dict[str, np.ndarray]:
    """Returns the state_dict, without what its constructor alone decides."""
    return {
      name: weights.draw_weight(name, tuple(shape), self.fields["salt"])
      for name, (shape, _, *constant) in self.fields["state_dict"].items()
      if not constant
    }

  def constants(self) -> list[str]:
    """Returns the names of the tensors that the constructor alone decides."""
    state_dict = self.fields["state_dict"].items()
    return [name for name, (_, _, *constant) in state_dict if constant]

  def results(self) -> dict[str, Tensor]:
    """Returns the outputs proper, without gradients and statistics."""
    return {k: v for k, v in self.output_layouts.items() if ":" not in k}

  def cotangents(self) -> dict[str, np.ndarray]:
    """Returns for each output what it is multiplied with for gradients."""
    results = self.results()
    single = len(results) == 1
    return {
      name: weights.draw_input(
        "cotangent" if single else f"cotangent:{name}",
        tensor.shape,
        self.fields["salt"],
      )
      for name, tensor in results.items()
    }

  def tolerance(self, quantity: str, dtype: str = "float32") -> float:
    """Returns the relative error that is allowed.

    In bfloat16 inputs of ReLUs near zero change their sign, which gradients
    show: up to 0.4 on a CPU. A gradient that is missing differs by 1.
    """
    if dtype == "bfloat16":
      return 0.5 if quantity.startswith("grad") else 0.03
    whole = self.name.startswith(("full_", "heldout_full_"))
    base = 1e-4 if whole or quantity.startswith("grad") else 1e-5
    torch_error = self.fields["torch_rel_err"].get(quantity, 0.0)
    return 10 * torch_error if torch_error > base / 10 else base


def _tensor(description: list) -> Tensor:
  shape, layout, *stored = description
  step = re.search(r"\[::(\d+)\]", stored[0]) if stored else None
  layout = _pattern(layout, len(shape))
  return Tensor(tuple(shape), layout, int(step[1]) if step else 1)


def _pattern(layout: str, rank: int) -> str:
  """Makes one side of an einops pattern of a layout and drops its remarks.

  "(N T) C H W" becomes "(n t) c h w"; "1 N T-1 2C" becomes "1 n t c"; what an
  axis lists becomes one name, "points (x, y)" so "points xy", and a number of
  elements or a product another, "N 2 (D*T)" so "n of2 dt".
  """
  layout = re.sub(r"\((\w+), (\w+)\),?", r"\1\2", layout)
  layout = re.sub(r"\((\w+(?:\*\w+)+)\)", lambda m: m[1].replace("*", ""), layout)
  layout = re.sub(r"(?<!\S)([2-9]|\d\d+)(?!\S)", r"of\1", layout)
  groups = re.findall(r"\([^)]*\)|\S+", layout)[:rank]
  name = r"(?:\d+(?=[A-Za-z]))?(\w+)(?:[-/]\d+)?"
  return " ".join(re.sub(name, r"\1", group) for group in groups).lower()
