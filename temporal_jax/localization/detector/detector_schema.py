"""The `model.json` of a detector: its fields, and what each may hold."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import flax.linen as nn

from temporal_jax.localization.catalog import LOCALIZERS, create_localizer
from temporal_jax.localization.detector.decoding_settings import Decoding
from temporal_jax.localization.detector.detect import check_pipeline
from temporal_jax.localization.detector.sequence_format import (
  MAX_POSITIONS,
  SequenceFormat,
)
from temporal_jax.localization.features.film_features import FeatureKind
from temporal_jax.localization.networks.actionformer import ActionFormer
from temporal_jax.localization.networks.bmn import BMN
from temporal_jax.saved_networks.arguments import DTYPE, check_arguments, each_of
from temporal_jax.saved_networks.description import (
  COMMON_FIELDS,
  FORMAT_VERSION,
  LOCALIZATION,
  MAX_CLASSES,
  Schema,
  check_class_names,
  report_unknown,
)
from temporal_jax.training import default_dtype
from temporal_jax.untrusted import fields
from temporal_jax.validation import parse_number

# Values of a BMN's samples for one sequence, of which it has many.
_MAX_PROPOSALS = 2**18
_MAX_SAMPLES = 2**22
# Values of a table of absolute positions.
_MAX_TABLE = 2**25
_MAX_LEVELS = 16
_MAX_STRIDE = 4096  # The last level's.
# Blocks are traced one by one, some milliseconds each.
_BLOCKS = (0, 32)
_RANGES: Mapping[str, tuple[int, int]] = {
  "width": (1, 2**14),
  "proposal_width": (1, 2**14),
  "map_width": (1, 2**14),
  "num_heads": (1, 1024),
  "max_length": (1, MAX_POSITIONS),
  "durations": (1, 2**14),
  "groups": (1, 1024),
  "bins": (1, 1024),
  "samples_per_bin": (1, 64),
  "embedding_layers": _BLOCKS,
  "stem_blocks": (1, 32),
  "head_layers": (1, 32),
  "base_layers": _BLOCKS,
  "stride": (1, 64),
  "taps": (1, 64),
}
_OTHERS = (0, 2**16)
_NOT_SETTABLE = ("name", "parent", "num_classes")
_WINDOW = fields.null_or(fields.whole(1, 2**12))
_DISTANCE = fields.number(0, 1e9)


def _windows(where: str, value: Any) -> None:
  """Allows a window, or one for each level."""
  several = fields.list_of(_WINDOW, 1, _MAX_LEVELS)
  (several if isinstance(value, list) else _WINDOW)(where, value)


_SPECIAL: Mapping[str, fields.Check] = {
  "windows": _windows,
  "ranges": fields.list_of(each_of((_DISTANCE, _DISTANCE)), 1, _MAX_LEVELS),
  "empty_classes": fields.list_of(fields.whole(0, MAX_CLASSES), 0, MAX_CLASSES),
  "dtype": DTYPE,
}


def _name(where: str, value: Any) -> None:
  """Allows text, "" if it is not known."""
  if value != "":
    fields.text(1000)(where, value)


def _frames(where: str, value: Any) -> None:
  """Allows how frames can be cut, "" if it is not known."""
  known = isinstance(value, str) and _CUTS.fullmatch(value)
  if not known:
    fields.refuse(where, value, '"square", "stretched" or "short side PIXELS"')


def _rate(where: str, value: Any) -> None:
  """Allows frames per second as text, "own", and "" if it is not known."""
  if value not in ("", "own"):
    try:
      fields.number(1e-3, 1000)(where, parse_number(value))
    except (TypeError, ValueError):
      fields.refuse(where, value, '"own" or frames per second as text')


_CUTS = re.compile(r"(square|stretched|short side [1-9]\d{0,3})?")
_FRAMES = fields.number(1e-6, 1e6)
FEATURES: Mapping[str, fields.Check] = {
  "width": fields.whole(1, 2**20),
  "stride": _FRAMES,
  "window": _FRAMES,
  "model": _name,
  "feature": _name,
  "weights": _name,
  "frames": _frames,
  "rate": _rate,
}
FIELDS: Mapping[str, fields.Check] = {
  **COMMON_FIELDS,
  "model": fields.one_of(LOCALIZERS),
  "class_names": fields.null_or(fields.list_of(fields.text(1000), 0, MAX_CLASSES)),
  "features": fields.anything,
  "sequences": fields.anything,
  "decoding": fields.anything,
}
NEEDED = (
  "task",
  "model",
  "overrides",
  "num_classes",
  "class_names",
  "features",
  "sequences",
  "decoding",
)


def _check_together(where: str, description: Mapping[str, Any]) -> None:
  """Raises ValueError if fields are wrong inside, or do not fit each other."""
  version = description.get("format_version")
  _check_record(where, "features", description["features"], FEATURES, version)
  check_class_names(where, description)
  network = described_network(where, description)
  form = described_sequences(where, description)
  decoding = described_decoding(where, description)
  try:
    check_pipeline(network, form, decoding)
    _check_sizes(network, form)
  except ValueError as error:
    raise ValueError(f"{where}: {error}") from None


DETECTORS = Schema(LOCALIZATION, FIELDS, NEEDED, _check_together)


def described_network(
  where: str, description: Mapping[str, Any], dtype: str | None = None
) -> nn.Module:
  """Returns the network of a `model.json`; nothing is computed.

  Args:
    where: The file, for messages.
    description: Its fields, checked one by one.
    dtype: Dtype of the activations; None for the one in the file, or else
      bfloat16 and on CPU float32.

  Raises:
    ValueError: If the overrides or the classes do not fit the network.
  """
  name, overrides = description["model"], description["overrides"]
  module = LOCALIZERS[name].module
  known = {
    **check_arguments(
      module,
      ranges=_RANGES,
      others=(0, 2**16),
      without=("name", "parent", "num_classes"),
    ),
    **{key: check for key, check in _SPECIAL.items() if _has(module, key)},
  }
  _check_record(where, "overrides", overrides, known, FORMAT_VERSION, ())
  arguments = {key: _frozen(value) for key, value in overrides.items()}
  arguments["dtype"] = dtype or overrides.get("dtype") or default_dtype()
  try:
    return create_localizer(name, num_classes=description["num_classes"], **arguments)
  except (TypeError, ValueError) as error:
    raise ValueError(f"{where}: {error}") from None


def described_sequences(where: str, description: Mapping[str, Any]) -> SequenceFormat:
  """Returns the sequences of a `model.json`; ValueError if they are none."""
  return _settings(where, "sequences", description["sequences"], SequenceFormat)


def described_decoding(where: str, description: Mapping[str, Any]) -> Decoding:
  """Returns the decoding of a `model.json`; ValueError if it is none."""
  kind = type(LOCALIZERS[description["model"]].decoding)
  return _settings(where, "decoding", description["decoding"], kind)


def described_features(description: Mapping[str, Any]) -> FeatureKind:
  """Returns the kind of features in a checked `model.json`."""
  record = description["features"]
  known = {name: record[name] for name in FeatureKind._fields if name in record}
  return FeatureKind(**known)


def _settings(where: str, name: str, record: Any, kind: type) -> Any:
  """Returns a dataclass of settings, which checks its values itself."""
  own = dataclasses.fields(kind)
  needed = [one.name for one in own if one.default is dataclasses.MISSING]
  known = {one.name: fields.anything for one in own}
  _check_record(where, name, record, known, FORMAT_VERSION, needed)
  try:
    return kind(**record)
  except (TypeError, ValueError) as error:
    raise ValueError(f"{where}: {name}.{error}") from None


def _check_record(
  where: str,
  name: str,
  record: Any,
  known: Mapping[str, fields.Check],
  version: int | None,
  needed: Any = ("width", "stride", "window"),
) -> None:
  """Checks an object of a description, and refuses unknown members."""
  if not isinstance(record, dict):
    fields.refuse(f"{where}: {name}", record, "a JSON object")
  unknown = fields.check_members(where, record, known, needed, prefix=f"{name}.")
  report_unknown(f"{where}: {name}", unknown, known, version)


def _check_sizes(network: nn.Module, form: SequenceFormat) -> None:
  """Raises ValueError if one sequence would take gigabytes."""
  if form.length > MAX_POSITIONS:
    raise ValueError(f"sequences.length must be at most {MAX_POSITIONS}.")
  if isinstance(network, ActionFormer):
    last = network.stride ** (len(network.ranges) - 1)
    padded = network.padded_length(form.length) if last <= _MAX_STRIDE else 0
    if last > _MAX_STRIDE or padded > MAX_POSITIONS:
      raise ValueError(
        f"overrides ask for a stride of {last} at the last level and sequences of "
        f"{padded} positions; at most {_MAX_STRIDE} and {MAX_POSITIONS} are allowed."
      )
    if network.positions and network.max_length * network.width > _MAX_TABLE:
      raise ValueError(
        f"overrides ask for a table of {network.max_length} x {network.width} "
        f"positions, at most {_MAX_TABLE} values are allowed."
      )
  if isinstance(network, BMN):
    durations = network.durations or form.length
    samples = durations * network.bins * network.samples_per_bin
    if durations * form.length > _MAX_PROPOSALS or samples > _MAX_SAMPLES:
      raise ValueError(
        f"overrides and sequences ask for {durations} x {form.length} proposals and "
        f"{samples} samples; at most {_MAX_PROPOSALS} and {_MAX_SAMPLES} are allowed."
      )


def _has(module: type, name: str) -> bool:
  return any(field.name == name for field in dataclasses.fields(module))


def _frozen(value: Any) -> Any:
  """Returns lists as tuples: a module is hashed with its arguments."""
  return tuple(map(_frozen, value)) if isinstance(value, list) else value
