"""The papers' complexities, next to the measured exponents."""

import json
import math
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from benchmarks.growth_parts.fit import fit_power
from benchmarks.growth_parts.reasons import REASONS
from benchmarks.growth_parts.subjects import AXES, SUBJECTS, Sizes, Subject
from temporal_jax.layers.attention import HEAD_WIDTH

TOLERANCE = 0.15  # Largest difference of exponents that counts as equal.

Formula = Callable[[Sizes], float]
Row = Mapping[str, Any]


class Claim(NamedTuple):
  """A complexity of a paper.

  Attributes:
    text: The complexity in the letters of the source.
    source: Paper and place.
    work: Growth of multiply-adds and time.
    held: Growth of the arrays that forward and backward hold; None if nothing
      is claimed of memory.
  """

  text: str
  source: str
  work: Formula
  held: Formula | None = None


class Line(NamedTuple):
  """Exponents along one axis of a subject, measured and claimed.

  Attributes:
    name: The subject.
    axis: The axis.
    claim: The claim.
    claimed: Exponents by quantity: those of the claim's formula, fitted at the
      sizes that were measured.
    measured: Exponents by quantity.
    residuals: Residuals of these fits.
  """

  name: str
  axis: str
  claim: Claim
  claimed: Mapping[str, float]
  measured: Mapping[str, float]
  residuals: Mapping[str, float]

  def holds(self, quantity: str) -> bool:
    """Whether a measured exponent is the claimed one."""
    return abs(self.measured[quantity] - self.claimed[quantity]) <= TOLERANCE

  def reasons(self) -> dict[str, str]:
    """Returns the reason of each quantity that differs, "" if none is known."""
    key = (self.name, self.axis)
    return {
      quantity: REASONS.get((*key, quantity), "")
      for quantity in self.measured
      if not self.holds(quantity)
    }


_ILA = "ILA, supplement, table 2"
_XVIT = "X-ViT (arXiv:2106.05968), section 1"
_TADA = "TAdaConv (arXiv:2308.05787), table 1"
_BLVNET = "bLVNet (arXiv:1912.00869), section 3.3"


def _tokens(s: Sizes) -> float:
  return s.batch * s.frames * s.places


def _within(s: Sizes) -> float:
  """Products within frames: T (h w)^2 d."""
  return _tokens(s) * s.places * s.width


def _over_time(s: Sizes) -> float:
  """Products over time: T^2 h w d."""
  return _tokens(s) * s.frames * s.width


def _held(scores: Formula) -> Formula:
  """Returns the arrays of an attention, forward and backward.

  They are queries, keys, values and the result, with their gradients, and the
  scores; their gradients take the same place.

  Args:
    scores: Scores of a head.
  """
  return lambda s: 8 * _tokens(s) * s.width + scores(s) * s.width / HEAD_WIDTH


def _adaptive(s: Sizes) -> float:
  """FLOPs of TAdaConv with 3 x 3 taps, both kernels over 3 frames, r = 4."""
  hidden = s.width // 4
  return s.batch * (
    9 * s.width**2 * s.frames * s.places
    + s.width * (s.frames * s.places + s.frames)
    + s.width * hidden * (2 * 3 * s.frames + 1)
    + 9 * s.width**2 * s.frames
  )


def _transformer(patch: int, attention: Formula) -> Formula:
  """Returns the products of a ViT's blocks, for pixels.

  Projections and MLP are 12 T h w d^2; scores and their sums of values each
  have the products of `attention`.

  Args:
    patch: Side of a patch, in pixels.
    attention: Products for sizes in patches.
  """

  def products(s: Sizes) -> float:
    s = s._replace(side=s.side // patch)
    return 12 * _tokens(s) * s.width**2 + 2 * attention(s)

  return products


_LINEAR_NETWORKS = {
  "xclip_b32": (_ILA, "T"),
  "ila_vit_b32": (_ILA, "T"),
  "xvit_b16": (_XVIT, "T"),
  "atm_vit_b16": ("one operator per frame and context", "T"),
  "tadaformer_b16": (_TADA, "T"),
  "tsn_resnet50": ("frames apart", "T"),
  "tsm_resnet50": ("shift costs nothing", "T"),
  "aggregation_resnet50": (_BLVNET, "T"),
  "tada2d_resnet50": (_TADA, "T"),
  "blvnet_tam_50": (_BLVNET + ", figure 3b", "T"),
  "tadaconvnextv2_tiny": (_TADA, "T"),
}
CLAIMS: Mapping[str, Claim] = MappingProxyType(
  {
    "spatial attention": Claim(
      "T h²w² d", _ILA, _within, _held(lambda s: _tokens(s) * s.places)
    ),
    "joint attention": Claim(
      "T² h²w² d",
      _ILA,
      lambda s: _within(s) * s.frames,
      _held(lambda s: _tokens(s) * s.frames * s.places),
    ),
    "divided attention": Claim(
      "T² hw d + T h²w² d", _ILA, lambda s: _over_time(s) + _within(s)
    ),
    "temporal attention": Claim("T² hw d", f"{_ILA}, of divided", _over_time),
    "ATA": Claim(
      "T h³w³ d + T² hw d + T h²w² d",
      _ILA,
      lambda s: _within(s) * s.places + _over_time(s) + _within(s),
    ),
    "messages of X-CLIP": Claim(
      "T² d", f"{_ILA}, without attention", lambda s: s.batch * s.frames**2 * s.width
    ),
    "alignment of ILA": Claim(
      "T hw k² d", f"{_ILA}, without attention", lambda s: _tokens(s) * s.width
    ),
    "space-time mixing": Claim(
      "T S²", _XVIT, _within, _held(lambda s: _tokens(s) * s.places)
    ),
    "space-time mixing, summaries": Claim(
      "T S² + T² S",
      "X-ViT (arXiv:2106.05968), section 3, T summaries",
      lambda s: _within(s) + _over_time(s),
    ),
    "TAdaConv": Claim("Co Ci K² T H W + ...", _TADA, _adaptive),
    "(2+1)D convolution": Claim(
      "Co Ci K² T H W + Co Ci K T H W", _TADA, lambda s: _tokens(s) * s.width**2
    ),
    "vit_b32_spatial": Claim(
      "12 T hw d² + 2 T h²w² d", _ILA, _transformer(32, _within)
    ),
    "vit_b32_joint": Claim(
      "12 T hw d² + 2 T² h²w² d",
      _ILA,
      _transformer(32, lambda s: _within(s) * s.frames),
    ),
    "vit_b32_divided": Claim(
      "12 T hw d² + 2 (T² hw d + T h²w² d)",
      _ILA,
      _transformer(32, lambda s: _over_time(s) + _within(s)),
    ),
    "vit_b32_ata": Claim(
      "12 T hw d² + 2 (T² hw d + T h²w² d) without matching",
      _ILA,
      _transformer(32, lambda s: _over_time(s) + _within(s)),
    ),
    "timesformer_b16_joint": Claim(
      "12 T hw d² + 2 T² h²w² d",
      _ILA,
      _transformer(16, lambda s: _within(s) * s.frames),
    ),
    **{
      name: Claim(text, source, _tokens, _tokens)
      for name, (source, text) in _LINEAR_NETWORKS.items()
    },
  }
)


def _of_case(subject: Subject) -> Claim:
  """Returns the claim of a case: its paper's cost over the frames."""
  case = subject.case
  power = 1 if case.linear else 2

  def held(s: Sizes) -> float:
    arrays = case.arrays(s.frames)
    inputs = sum(math.prod(array.shape) for array in arrays)
    # Inputs, their gradients, and a result as large as the features.
    return 2 * inputs + 2 * math.prod(arrays[0].shape) + 2 * case.scratch(s.frames)

  text = "T" if case.linear else "T²"
  return Claim(text, "benchmarks.operators", lambda s: s.batch * s.frames**power, held)


# One device of n, with the same clips on all together.
_DEVICES = Claim("1 / n; sent: (n - 1) / n", "a ring of n devices", _tokens)
_ON_DEVICES: Mapping[str, Callable[[int], float]] = MappingProxyType(
  {
    "operations": lambda n: 1 / n,
    "memory": lambda n: 1 / n,
    "sent": lambda n: (n - 1) / n,
  }
)


def read_rows(files: Iterable[pathlib.Path]) -> list[dict[str, Any]]:
  """Returns the rows of files that benchmarks.growth wrote.

  Raises:
    ValueError: If a file is none.
    OSError: If a file cannot be read.
  """
  rows = []
  for file in files:
    try:
      rows += json.loads(file.read_text())["rows"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
      raise ValueError(f"{file} has no rows of benchmarks.growth.") from error
  return rows


def compare(rows: Iterable[Row]) -> list[Line]:
  """Returns a line for each axis of each subject of which something is claimed.

  Of networks only the frames are claimed.

  Args:
    rows: Rows of all instruments.
  """
  lines: dict[tuple[str, str], Line] = {}
  for row in rows:
    name, axis, quantity = row["name"], row["axis"], row["quantity"]
    claimed = _claimed(row) if "exponent" in row else None
    if claimed is None:
      continue
    claim, exponent = claimed
    line = lines.setdefault((name, axis), Line(name, axis, claim, {}, {}, {}))
    line.claimed[quantity] = exponent
    line.measured[quantity] = row["exponent"]
    line.residuals[quantity] = row["residual"]
  return [*lines.values()]


def _claimed(row: Row) -> tuple[Claim, float] | None:
  """Returns the claim of a row and its exponent, None without a claim."""
  name, axis, quantity = row["name"], row["axis"], row["quantity"]
  if axis == "devices":
    values = [_ON_DEVICES[quantity](count) for count in row["sizes"]]
    return _DEVICES, fit_power(row["sizes"], values).exponent
  subject = SUBJECTS.get(name)
  if subject is None or (subject.kind == "network" and axis != "frames"):
    return None
  claim = CLAIMS.get(name) or _of_case(subject)
  formula = claim.held if quantity == "memory" else claim.work
  if formula is None:
    return None
  field = AXES[axis]
  sides = [math.isqrt(size) if field == "side" else size for size in row["sizes"]]
  values = [formula(subject.base._replace(**{field: side})) for side in sides]
  return claim, fit_power(row["sizes"], values).exponent


def report(lines: Iterable[Line]) -> list[dict[str, Any]]:
  """Returns lines for a JSON file."""
  return [
    {
      "name": line.name,
      "kind": "devices" if line.claim is _DEVICES else SUBJECTS[line.name].kind,
      "axis": line.axis,
      "complexity": line.claim.text,
      "source": line.claim.source,
      "exponents": {
        quantity: {
          "measured": measured,
          "claimed": round(line.claimed[quantity], 4),
          "residual": line.residuals[quantity],
          "holds": line.holds(quantity),
        }
        for quantity, measured in line.measured.items()
      },
      "reasons": line.reasons(),
    }
    for line in lines
  ]


QUANTITIES = (
  "multiply-adds",
  "operations",
  "memory",
  "sent",
  "time",
  "TPU",
  "TPU cycles",
)
COLUMNS = ("of", "axis", "complexity", *QUANTITIES)


def cells(line: Line) -> tuple[str, ...]:
  """Returns a line's cells: measured exponents, each with the claimed one.

  One that is not the claimed one has a star.
  """

  def cell(quantity: str) -> str:
    if quantity not in line.measured:
      return ""
    star = "" if line.holds(quantity) else " *"
    return f"{line.measured[quantity]:.2f} ({line.claimed[quantity]:.2f}){star}"

  return line.name, line.axis, line.claim.text, *map(cell, QUANTITIES)


def summary(lines: Sequence[Line]) -> str:
  """Returns the number of exponents that are as claimed, and the unexplained.

  Args:
    lines: Lines of `compare`.
  """
  total = sum(len(line.measured) for line in lines)
  reasons = [
    (f"{line.name}, {line.axis}, {quantity}", reason)
    for line in lines
    for quantity, reason in line.reasons().items()
  ]
  unknown = [name for name, reason in reasons if not reason]
  words = (
    f"{total - len(reasons)} of {total} exponents are within {TOLERANCE} of the "
    f"claims, {len(reasons) - len(unknown)} differ for a known reason"
  )
  return f"{words}; unexplained: {'; '.join(unknown)}" if unknown else f"{words}."
