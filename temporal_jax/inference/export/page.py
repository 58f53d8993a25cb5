"""Renders a model card as Markdown."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from temporal_jax.inference.export import run_instructions

NOT_STATED = "not stated"
_PAPER = re.compile(r"arXiv:(\d+\.\d+)")
_LINKED = r"[arXiv:\1](https://arxiv.org/abs/\1)"
# Licences that the hub knows by a name; others are "other" with their name.
_IDENTIFIERS = frozenset(
  (
    *("agpl-3.0", "apache-2.0", "bigscience-openrail-m", "bsd", "bsd-2-clause"),
    *("bsd-3-clause", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-nc-2.0"),
    *("cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-3.0"),
    *("cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0"),
    *("cc0-1.0", "creativeml-openrail-m", "gpl-2.0", "gpl-3.0", "isc"),
    *("lgpl-2.1", "lgpl-3.0", "mit", "mpl-2.0", "openrail", "unlicense", "zlib"),
  )
)
_LONGEST_NAME = 100  # Characters.


def render(card: Mapping[str, Any]) -> str:
  """Returns the page of a card, in Markdown."""
  parts = [
    _front_matter(card),
    f"# {card['name']}",
    _what(card),
    "## How to run it",
    run_instructions.instructions(card),
    "## What it takes and gives",
    _table(_interface(card)),
    "## Where it comes from",
    _table(_origin(card)),
    "## How well it does",
    _scores(card),
    "## Its limits",
    "\n".join(f"- {line}" for line in _limits(card)),
  ]
  return "\n\n".join(parts) + "\n"


def _front_matter(card: Mapping[str, Any]) -> str:
  """Returns the front matter for hubs of models, in YAML."""
  form = card["artifact"]["format"]
  values = {
    "library_name": "temporal_jax",
    "pipeline_tag": _task(card["output"]),
    **_license(card["license"]),
    # Hubs call a network's folder by its file of weights.
    "tags": [
      card["architecture"],
      card["operator"],
      "safetensors" if form == "savable" else form,
    ],
  }
  if card["scores"]:
    values["metrics"] = ["accuracy"]
  # Every JSON value is one of YAML.
  lines = (f"{key}: {json.dumps(value)}" for key, value in values.items())
  return "\n".join(["---", *lines, "---"])


def _temperature(value: float | str | Mapping[str, float]) -> str:
  """Returns a number, one for each task, or the file that may have it."""
  if isinstance(value, str):
    return f"`temperature` of {value}, if there is one"
  return f"temperature {_numbers(value)}"


def _numbers(value: float | Mapping[str, float]) -> str:
  """Returns a number, or one for each task, in words."""
  if isinstance(value, Mapping):
    return ", ".join(f"{number:.3g} of the {task}" for task, number in value.items())
  return f"{value:.3g}"


def _task(output: Mapping[str, Any]) -> str:
  """Returns the name that hubs have for what the network does."""
  if output["probabilities"] is None:
    return "feature-extraction"
  return "video-classification"


def _license(license: str) -> dict[str, str]:
  """Returns the licence by its identifier of the hub, or as another one."""
  if license == NOT_STATED:
    return {"license": "unknown"}
  if license.lower() in _IDENTIFIERS:
    return {"license": license.lower()}
  return {"license": "other", "license_name": license.split("\n")[0][:_LONGEST_NAME]}


def _what(card: Mapping[str, Any]) -> str:
  classes = card["output"]["classes"]
  if classes is None:
    features = card["output"]["probabilities"] is None
    task = "gives features of" if features else "compares texts with"
    return f"A network that {task} a short video clip."
  if isinstance(classes, Mapping):
    answer = " and ".join(f"one of {n} {task}s" for task, n in classes.items())
  else:
    several = card["output"]["probabilities"] == "sigmoid"
    answer = f"{'any' if several else 'one'} of {classes} classes"
  return f"A network that recognizes {answer} in a short video clip."


def _interface(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
  """Yields the inputs and outputs of the network."""
  given, found = card["input"], card["output"]
  mean, std = (
    ", ".join(f"{value:.4g}" for value in given["pixels"][key])
    for key in ("mean", "std")
  )
  yield "clips", f"{given['dtype']} {_shape(given['shape'])}: {given['axes']}"
  yield "frames", given["sampling"]
  yield (
    "preprocessing",
    f"inside: (pixel / 255 - mean) / std with mean {mean} and std {std}",
  )
  kind = found["probabilities"]
  if kind is None:
    yield "result", f"features in {found['dtype']}"
    return
  scaled = found.get("temperature")
  divided = f", divided by the {_temperature(scaled)}" if scaled else ""
  yield "result", f"probabilities in {found['dtype']}, by {kind} of the logits{divided}"
  names = "in the order of the result" if ".json" in found["names"] else ""
  yield "names of classes", f"{found['names']} {names}".strip()


def _origin(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
  """Yields the architecture and the origin of the network."""
  yield "architecture", f"{card['architecture']}, temporal operator {card['operator']}"
  yield "source", _PAPER.sub(_LINKED, card["source"])
  yield "parameters", f"{card['parameters']:,}"
  yield "multiply-adds", f"{card['multiply_adds']:,} for one clip"
  for key, value in card["origin"].items():
    text = value if isinstance(value, str) else json.dumps(value)
    yield key, f"`{text}`"
  yield "license of the weights", card["license"]
  for key, value in card["artifact"].items():
    if key != "largest_difference" and value is not None:
      yield key.replace("_", " "), _plain(value)
  yield "written by", _plain(card["versions"])


def _scores(card: Mapping[str, Any]) -> str:
  scores = card["scores"]
  lines = [
    f"On the test clips of its run: {scores['headline']}"
    if scores
    else "Not stated: no report.json was next to the weights."
  ]
  difference = card["artifact"].get("largest_difference")
  if difference is not None:
    lines.append(
      "The file was compared with the network it was written from, on clips of "
      f"noise: probabilities differ by {difference:.1e} at most."
    )
  return "\n\n".join(lines)


def _limits(card: Mapping[str, Any]) -> Iterator[str]:
  """Yields the limits of the network, as far as the card states them."""
  artifact, (batch, frames, rows, columns, _) = (
    card["artifact"],
    card["input"]["shape"],
  )
  yield (
    f"Clips have {frames} frames of {rows} x {columns} pixels; for others it "
    "must be exported again."
  )
  if batch != "B":
    yield f"Batches have {batch} clips, no more and no fewer."
  if card["output"]["probabilities"] == "softmax":
    yield (
      "It knows its classes only: their probabilities add up to 1 whatever a "
      "clip shows."
    )
  if artifact.get("weights") == "int8":
    yield "Its kernels are rounded to int8: scores of its run are from before that."
  if artifact["format"] == "stablehlo":
    yield (
      f"It runs on {', '.join(artifact['platforms'])}. Later versions of JAX "
      "read it for [at least six months](https://docs.jax.dev/en/latest/export/"
      "export.html#compatibility-guarantees)."
    )


def _table(rows: Iterator[tuple[str, str]]) -> str:
  rows = ((key, value.replace("|", "\\|")) for key, value in rows)
  lines = [f"| {key} | {value} |" for key, value in rows]
  return "\n".join(["| | |", "|---|---|", *lines])


def _shape(shape: list[Any]) -> str:
  return f"({', '.join(map(str, shape))})"


def _plain(value: Any) -> str:
  """Returns a value in words."""
  if isinstance(value, Mapping):
    return ", ".join(f"{key} {word}" for key, word in value.items())
  if isinstance(value, list):
    return ", ".join(map(str, value))
  return f"{value:,}" if isinstance(value, int) else str(value)
