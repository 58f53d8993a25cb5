"""Trains the head of a frozen network, from its config to its report."""

import dataclasses
import hashlib
import json
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from temporal_jax import data, evaluation, inference, models, training
from temporal_jax.data.pipeline.clips import encode_label
from temporal_jax.experiment.class_weights import class_weights
from temporal_jax.experiment.classes import num_classes
from temporal_jax.experiment.description import describe
from temporal_jax.experiment.network import create_network
from temporal_jax.experiment.number_bounds import Bounds, check_fields
from temporal_jax.experiment.probe_run.cached_inputs import (
  HeadInputs,
  InputCache,
  default_folder,
)
from temporal_jax.experiment.probe_run.fit import HeadFit, Inputs, cross_validate
from temporal_jax.experiment.probe_run.folds import split_folds
from temporal_jax.experiment.probe_run.frozen_network import (
  FrozenNetwork,
  cut_before_head,
)
from temporal_jax.experiment.settings import RunSettings
from temporal_jax.experiment.videos import open_videos
from temporal_jax.inference.runtime.clip_batches import ClipBatches
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.models.network import Network
from temporal_jax.saved_networks.folder import MOVED, discard_moved, move_network
from temporal_jax.saved_networks.variables import digest

# Strengths of the penalty of a linear head, and AdamW's usual weight decay.
_PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_DECAYS = (0.05,)
_VIEWS = 8  # Computed at once.
_BOUNDS = {
  "probe.strengths": Bounds(0, 1e6),
  "probe.folds": Bounds(0, 1000),
  "probe.num_steps": Bounds(1, 10**6),
  "probe.lr": Bounds(0, 10, without="low"),
}


@dataclasses.dataclass(frozen=True)
class _Split:
  """The videos of a split that could be read.

  Attributes:
    source: All videos.
    found: Inputs of the head.
    labels: (n, ...) of the n videos that have inputs.
  """

  source: data.Source
  found: HeadInputs
  labels: np.ndarray

  def predictions(self, scores: Any, fusion: str) -> evaluation.Predictions:
    """Returns probabilities (n, V, L) with names and labels."""
    names = [self.source[int(number)]["id"] for number in self.found.numbers]
    if isinstance(self.source.class_names, Mapping):  # A tree has its keys sorted.
      scores = {task: scores[task] for task in self.source.class_names}
    return evaluation.from_views(names, self.labels, scores, fusion=fusion)


def run_probe(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  described: Mapping[str, Any],
  asked: str,
  say: Callable[[str], None],
) -> None:
  """Trains a head, tests it, and writes the network and the report.

  Args:
    config: The run's config, complete.
    workdir: Folder of the run; gets the network's files last.
    described: Fields of model.json about the weights.
    asked: `init_from` as the user gave it, for config.json.
    say: Prints a line.

  Raises:
    BadVideoError: If a video cannot be read and data.on_error is "raise".
    ValueError: If a value of the config makes no sense, or does not fit the
      videos; if there are no weights; or if the network has no head.
  """
  _check(config)
  config = _with_head(config)
  settings = RunSettings.from_config(config)
  videos = open_videos(settings, workdir, say)
  network = create_network(config, num_classes(config, videos))
  variables = _load(network, settings)
  frozen = cut_before_head(
    config.model.name, network, variables, settings.clip_shape, settings.pixels
  )
  described = {**describe(settings, videos), **described}
  cache = _open_cache(settings, frozen, variables, described)
  workdir.mkdir(parents=True, exist_ok=True)
  splits = _read(cache, videos, config, workdir, say)
  fit = HeadFit(
    frozen.head,
    settings.loss(num_classes(config, videos), class_weights(config, videos, say)),
    config.probe.num_steps,
    config.probe.lr,
    config.seed,
  )
  began = time.perf_counter()
  strength, checked = _choose(fit, splits["train"], config, say)
  params = _fit(fit, splits["train"], strength)
  answers = {
    name: split.predictions(_answer(fit, params, split), config.eval.fusion)
    for name, split in splits.items()
  }
  seconds = time.perf_counter() - began
  summary = evaluation.summarize(
    answers["test"],
    videos.class_names,
    listed=videos.num_test,
    bad_videos=splits["test"].found.bad,
    protocol=dataclasses.asdict(settings.protocol),
    seconds=seconds,
    groups=data.groups_of(videos.sources["test"]),
  )
  summary["training"] = evaluation.accuracies(answers["train"])
  summary["probe"] = {"head": config.probe.head, "strength": strength}
  summary |= {"cross_validation": checked} if checked else {}
  say(f"head: strength {strength:g}, {seconds:.1f} s.")
  config.init_from = asked  # The weights are read: an address remains one.
  training.write_config(workdir, config.to_json(indent=2))
  evaluation.write_report(
    workdir,
    summary,
    rows=(),
    sample=next(iter(videos.eval_batches)),
    predictions=answers["test"],
  )
  params = {**variables["params"], "head": params}
  discard_moved(workdir)
  partial = workdir / MOVED
  inference.save_model(partial, {**variables, "params": params}, described)
  move_network(partial, workdir)
  name = "top1" if "top1" in summary else "mAP"
  trained = summary["training"][name]
  say(f"training videos: {name.replace('top', 'top-')} {trained:.1%}.")
  say(f"test: {evaluation.headline(summary)}")
  say(f"Report: {workdir / 'report.json'}; the network is in {workdir}.")


def _check(config: ml_collections.ConfigDict) -> None:
  """Raises ValueError if fields that only a probe has make no sense."""
  if jax.process_count() > 1:
    raise ValueError("a probe runs in one process, without --coordinator.")
  if not config.init_from:
    raise ValueError(
      "a probe needs the weights of a network: give --config.init_from=FOLDER, "
      "camera_motion or hf://org/name."
    )
  check_fields(config, _BOUNDS)
  if config.probe.folds == 1:
    raise ValueError(
      "probe.folds must be 0, for no cross-validation, or 2 and above; got 1."
    )


def _with_head(config: ml_collections.ConfigDict) -> ml_collections.ConfigDict:
  """Returns the config with the probe's head as the network's.

  Networks whose head is no argument have a linear one.

  Raises:
    ValueError: If such a network is to have another.
  """
  config = config.copy_and_resolve_references()
  module = models.find_model(config.model.name).module
  if "head" in {field.name for field in dataclasses.fields(module)}:
    with config.unlocked():
      config.model.overrides.head = config.probe.head
  elif config.probe.head != "average":
    raise ValueError(
      f"probe.head must be 'average' for {config.model.name}, whose head is no "
      f"argument; got {config.probe.head!r}."
    )
  return config


def _load(network: Network, settings: RunSettings) -> Any:
  """Returns the network's variables, all but the head from the weights."""
  config = settings.config
  key = jax.random.key(config.seed)
  fresh = training.init_variables(network, settings.clip_shape, key)
  loaded = training.load_variables(config.init_from)
  replaceable = training.Fitting().replaceable
  return training.graft(fresh, loaded, replaceable=replaceable).variables


def _open_cache(
  settings: RunSettings,
  frozen: FrozenNetwork,
  variables: Mapping[str, Any],
  described: Mapping[str, Any],
) -> InputCache:
  """Returns the cache of what the frozen part gives."""
  config = settings.config
  tower = {name: of for name, of in variables["params"].items() if name != "head"}
  # The overrides have no dtype, and a machine's default is not another's.
  dtype = jnp.dtype(frozen.network.dtype).name
  made = [described["model"], described["overrides"], settings.pixels, dtype]
  text = json.dumps([digest({**variables, "params": tower}), *made], default=list)
  saved = SavedModel(
    config.model.name,
    frozen.network,
    models.fold_batch_norm(variables),
    tuple(described["clip_shape"]),
    described["class_names"],
    settings.pixels,
    settings.protocol,
    described,
  )
  score = ClipBatches(
    saved,
    frozen.inputs,
    lambda saved: saved.variables,
    batch_size=_VIEWS,
    clip_shape=None,
  )
  folder = config.probe.cache
  return InputCache(
    pathlib.Path(folder).expanduser() if folder else default_folder(),
    hashlib.sha256(text.encode()).hexdigest(),
    settings.protocol,
    frozen.input_shape,
    score,
    config.data.num_threads,
  )


def _read(
  cache: InputCache,
  videos: data.Videos,
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  say: Callable[[str], None],
) -> dict[str, _Split]:
  """Returns the inputs of all videos, by split."""
  began, splits = time.perf_counter(), {}
  for name, source in videos.sources.items():
    bad = data.BadVideos(config.data.on_error, workdir / f"bad_{name}.jsonl")
    found = cache.read(source, bad.add)
    labels = [source[int(number)]["label"] for number in found.numbers]
    labels = np.stack([encode_label(label, source.class_names) for label in labels])
    splits[name] = _Split(source, found, labels)
  computed = sum(split.found.computed for split in splits.values())
  counts = [len(split.labels) for split in splits.values()]
  say(
    f"features: {counts[0]} training and {counts[1]} test videos; {computed} "
    f"computed in {time.perf_counter() - began:.1f} s, the others from "
    f"{cache.folder}."
  )
  return splits


def _choose(
  fit: HeadFit,
  split: _Split,
  config: ml_collections.ConfigDict,
  say: Callable[[str], None],
) -> tuple[float, dict[str, Any]]:
  """Returns a strength, and the accuracies of held-out training videos.

  Without folds it is the middle one, and there are none.
  """
  strengths = tuple(config.probe.strengths)
  strengths = strengths or (_PENALTIES if fit.is_linear else _DECAYS)
  middle = strengths[len(strengths) // 2]
  if not config.probe.folds:
    return middle, {}
  listed = [split.source[int(number)] for number in split.found.numbers]
  folds = split_folds(
    [video["label"] for video in listed],
    config.probe.folds,
    groups=[video.get("group", video["id"]) for video in listed],
    seed=config.seed,
  )
  count = int(folds.max()) + 1
  if count < 2:
    say(
      "cross-validation is left out, since all training videos of a class are one "
      f"video or group; "
      f"the strength is {middle:g}, and is not compared with others."
    )
    return middle, {}
  checked = cross_validate(fit, split.found.rows, split.labels, folds, strengths)
  held_out = split.predictions(checked.scores, config.eval.fusion)
  counts = dict.fromkeys(("clips_scored", "clips_decoded"), len(folds))
  values = {
    **evaluation.accuracies(held_out),
    "intervals": evaluation.accuracy_intervals(held_out, data.groups_of(split.source)),
    **counts,
    "clips_listed": len(split.source),
  }
  words = f"{count} folds of training"
  if count < config.probe.folds:
    what = "groups" if data.groups_of(split.source) else "videos"
    words += f" (the rarest class has {count} {what})"
  say(f"cross-validation, {words}: {evaluation.headline(values)}")
  return checked.strength, {"folds": count, **values}


def _fit(fit: HeadFit, split: _Split, strength: float) -> Mapping[str, Any]:
  """Returns the parameters of the head trained on all videos."""
  rows = split.found.rows
  x = jnp.asarray(rows.reshape(-1, *rows.shape[2:]))  # (n V, T', D)
  labels = jnp.asarray(np.repeat(split.labels, rows.shape[1], axis=0))
  inputs = Inputs(x, labels, jnp.ones(len(x), jnp.float32))
  return jax.jit(fit)(inputs, jnp.float32(strength))


def _answer(fit: HeadFit, params: Mapping[str, Any], split: _Split) -> Any:
  """Returns probabilities (n, V, L), or a dict of them by task."""
  rows = split.found.rows
  scores = jax.jit(fit.probabilities)(params, rows.reshape(-1, *rows.shape[2:]))
  return jax.tree.map(
    lambda values: np.asarray(values).reshape(*rows.shape[:2], -1), scores
  )
