"""Trains and evaluates a video network.

  python train.py --config=configs/camera_motion.py --workdir=runs/demo

Every field of the config can be set by --config.FIELD=VALUE. The same command
again goes on where the run stopped or, when it is complete, evaluates it again.
"""

import functools
import pathlib
import time
from typing import Any, NamedTuple

import flax.linen as nn
import grain
import jax
import ml_collections
import optax
from absl import app, flags, logging
from ml_collections import config_flags

import temporal_jax
from temporal_jax import data, evaluation, models, training

_CONFIG = config_flags.DEFINE_config_file("config", lock_config=True)
_WORKDIR = flags.DEFINE_string(
  "workdir", None, "Folder for checkpoints, records and the report."
)


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
  """One run, from its config to its report."""
  setup = check(config)
  workdir.mkdir(parents=True, exist_ok=True)
  training.write_text(workdir / "config.json", config.to_json(indent=2))
  videos = open_videos(config, workdir, setup)
  model = temporal_jax.create_model(
    config.model.name,
    num_classes=len(videos.class_names),
    temporal=config.model.temporal,
    **config.model.overrides,
  )
  train_step, eval_step = make_steps(config, model, setup, videos)
  place = functools.partial(training.place_batch, mesh=setup.mesh)

  def predict(variables: dict) -> evaluation.Predictions:
    score = functools.partial(eval_step, variables)
    return evaluation.evaluate(score, videos.eval_batches, place)

  checkpoints = training.Checkpoints(
    workdir / "checkpoints", keep=config.keep_checkpoints
  )
  state = start(config, model, setup, videos, checkpoints)
  with (
    training.Records(workdir, last_step=int(state.step)) as records,
    training.Progress(config.num_steps, int(state.step)) as progress,
  ):
    state, signal = training.train(
      state,
      train_step,
      videos.train_batches,
      place=place,
      plan=setup.plan,
      schedule=setup.schedule,
      evaluate=lambda variables: evaluation.accuracies(predict(variables)),
      checkpoints=checkpoints,
      records=records,
      progress=progress,
    )
  checkpoints.close()
  if signal:
    print(f"{signal}: step {int(state.step)} is saved; start again to go on.")
    return
  began = time.perf_counter()
  predictions = predict(state.eval_variables())
  seconds = time.perf_counter() - began
  report(workdir, videos, predictions, seconds)


class Setup(NamedTuple):
  """What follows from the config alone."""

  mesh: jax.sharding.Mesh
  plan: training.Plan
  schedule: optax.Schedule
  optimizer: optax.GradientTransformation
  clip: data.ClipFormat
  pixels: dict[str, tuple[float, float, float]]  # Mean and std.


def check(config: ml_collections.ConfigDict) -> Setup:
  """Finds what is wrong with the config before any work is done."""
  mesh = training.create_mesh(config.mesh)
  training.check_batch_size(config.batch_size, mesh)
  spec = models.find_model(config.model.name)
  schedule = training.warmup_cosine(
    config.optim.lr,
    warmup_steps=config.optim.warmup_steps,
    num_steps=config.num_steps,
    end=config.optim.end_lr,
  )
  return Setup(
    mesh=mesh,
    plan=training.Plan(
      num_steps=config.num_steps,
      log_every=config.log_every,
      eval_every=config.eval_every,
      save_every=config.save_every,
    ),
    schedule=schedule,
    optimizer=training.create_optimizer(
      config.optim.name,
      schedule,
      weight_decay=config.optim.weight_decay,
      momentum=config.optim.momentum,
      clip_norm=config.optim.clip_norm,
    ),
    clip=data.ClipFormat(
      num_frames=config.data.num_frames,
      image_size=config.data.image_size,
      short_side=config.data.short_side or None,
      sampling=config.data.sampling,
      stride=config.data.stride,
    ),
    pixels={"mean": spec.mean, "std": spec.std},
  )


class Videos(NamedTuple):
  """The data of a run."""

  class_names: tuple[str, ...]
  train_batches: grain.DatasetIterator
  eval_batches: grain.IterDataset
  num_test: int
  bad_test: data.BadVideos


def open_videos(
  config: ml_collections.ConfigDict, workdir: pathlib.Path, setup: Setup
) -> Videos:
  """Opens the data set or the user's own files; prepares what is missing."""
  sources = data.open_sources(
    name=config.data.name,
    root=config.data.root,
    data_dir=config.data.data_dir,
    splits={"train": config.data.train_split, "test": config.data.test_split},
    test_fraction=config.data.test_fraction,
  )
  bad = {
    split: data.BadVideos(config.data.on_error, workdir / f"bad_{split}.jsonl")
    for split in sources
  }
  share = {
    "batch_size": config.batch_size // jax.process_count(),
    "num_threads": config.data.num_threads,
    "process_index": jax.process_index(),
    "process_count": jax.process_count(),
  }
  return Videos(
    class_names=sources["train"].class_names,
    train_batches=data.train_batches(
      sources["train"],
      setup.clip,
      seed=config.seed,
      bad_videos=bad["train"],
      **share,
    ),
    eval_batches=data.eval_batches(
      sources["test"], setup.clip, bad_videos=bad["test"], **share
    ),
    num_test=len(sources["test"]),
    bad_test=bad["test"],
  )


def make_steps(
  config: ml_collections.ConfigDict,
  model: nn.Module,
  setup: Setup,
  videos: Videos,
) -> tuple[Any, Any]:
  """Returns the jitted training and evaluation step."""
  flip_labels = ()
  if config.data.flip:
    flip_labels = data.flipped_labels(
      videos.class_names, config.data.flip_pairs
    )
  augmentation = data.Augmentation(
    **setup.pixels,
    flip_labels=flip_labels,
    color_jitter=config.data.color_jitter,
  )
  train_step = training.make_train_step(
    model,
    setup.optimizer,
    augmentation,
    setup.mesh,
    seed=config.seed,
    label_smoothing=config.optim.label_smoothing,
    ema_decay=config.optim.ema_decay,
  )
  normalize = functools.partial(data.normalize, **setup.pixels)
  return train_step, training.make_eval_step(model, normalize, setup.mesh)


def start(
  config: ml_collections.ConfigDict,
  model: nn.Module,
  setup: Setup,
  videos: Videos,
  checkpoints: training.Checkpoints,
) -> training.TrainState:
  """Decides where to start: 1. resume, 2. init_from, 3. scratch."""
  side = config.data.image_size
  variables = training.init_variables(
    model,
    (1, config.data.num_frames, side, side, 3),
    jax.random.key(config.seed),
  )
  step = checkpoints.latest()
  if step is None and config.init_from:
    loaded = training.load_variables(config.init_from)
    grafted = training.graft(variables, loaded, replaceable="params/head/.*")
    variables = grafted.variables
    kept = ", ".join(grafted.kept) or "nothing"
    print(f"start: weights of {config.init_from}; new: {kept}.")
  elif step is None:
    print("start: from scratch.")
  state = training.create_state(
    variables, setup.optimizer, ema=config.optim.ema_decay > 0
  )
  state = jax.device_put(state, training.replicated(setup.mesh))
  if step is not None:
    state = checkpoints.restore(step, state, videos.train_batches)
    print(f"start: resumed {checkpoints.path(step)}.")
    if step >= config.num_steps:
      print(
        f"step {step} is at or past num_steps {config.num_steps}: nothing is "
        "left to train. Raise --config.num_steps, or take a new --workdir."
      )
  return state


def report(
  workdir: pathlib.Path,
  videos: Videos,
  predictions: evaluation.Predictions,
  seconds: float,
) -> None:
  """Writes report.json and the pictures; prints the accuracy."""
  summary = evaluation.summarize(
    predictions,
    videos.class_names,
    listed=videos.num_test,
    bad_videos=videos.bad_test.reasons(),
    seconds=seconds,
  )
  evaluation.save_report(summary, workdir / "report.json")
  rows = training.read_rows(workdir / "metrics.jsonl")
  evaluation.save_curves(rows, len(videos.class_names), workdir / "curves.png")
  evaluation.save_confusion(
    summary["confusion"], videos.class_names, workdir / "confusion.png"
  )
  evaluation.save_contact_sheet(
    next(iter(videos.eval_batches)),
    predictions,
    videos.class_names,
    workdir / "predictions.png",
  )
  print(
    f"top-1 {summary['top1']:.1%}, top-5 {summary['top5']:.1%} of "
    f"{summary['clips_scored']} clips scored, {summary['clips_decoded']} "
    f"decoded, {summary['clips_listed']} listed.\n"
    f"Report: {workdir / 'report.json'}; pictures beside it."
  )


def main(argv: list[str]) -> None:
  """Turns what a user can get wrong into one line."""
  if len(argv) > 1:
    raise app.UsageError(f"unknown arguments {argv[1:]}.")
  logging.set_verbosity(logging.WARNING)
  try:
    run(_CONFIG.value, pathlib.Path(_WORKDIR.value).expanduser())
  except (
    FileNotFoundError,
    TypeError,
    ValueError,
    data.BadVideoError,
    training.NonFiniteLossError,
  ) as error:
    logging.debug("the error was raised here", exc_info=True)
    raise SystemExit(f"train.py: {error}") from None


if __name__ == "__main__":
  flags.mark_flags_as_required(["config", "workdir"])
  app.run(main)
