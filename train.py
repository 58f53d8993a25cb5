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
import jax
import ml_collections
import optax
from absl import app, flags, logging
from ml_collections import config_flags

import temporal_jax
from temporal_jax import data, evaluation, models, training

_CONFIG = config_flags.DEFINE_config_file("config", lock_config=True)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder for all a run writes.")


def run(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  stop: training.StopRequest,
) -> None:
  """One run, from its config to its report."""
  setup = check(config)
  workdir.mkdir(parents=True, exist_ok=True)
  for change in training.write_config(workdir, config.to_json(indent=2)):
    print(f"config changed since the last start: {change}.")
  videos = open_videos(config, workdir, setup)
  model = create_model(config, len(videos.class_names))
  train_step, eval_step = make_steps(config, model, setup, videos)
  place = functools.partial(training.place_batch, mesh=setup.mesh)

  def predict(variables: dict) -> evaluation.Predictions:
    score = functools.partial(eval_step, variables)
    return evaluation.evaluate(score, videos.eval_batches, place)

  checkpoints = training.Checkpoints(
    workdir / "checkpoints", keep=config.keep_checkpoints
  )
  state, origin = training.first_state(
    model,
    setup.optimizer,
    setup.mesh,
    num_frames=config.data.num_frames,
    image_size=config.data.image_size,
    seed=config.seed,
    ema=config.optim.ema_decay > 0,
    init_from=config.init_from,
    checkpoints=checkpoints,
    batches=videos.train_batches,
  )
  print(f"start: {origin}.")
  with (
    training.Records(workdir, last_step=int(state.step)) as records,
    training.Progress(config.num_steps, int(state.step)) as progress,
  ):
    state = training.train(
      *(state, train_step, videos.train_batches),
      place=place,
      plan=setup.plan,
      schedule=setup.schedule,
      evaluate=lambda variables: evaluation.accuracies(predict(variables)),
      checkpoints=checkpoints,
      records=records,
      progress=progress,
      stop=stop,
    )
  checkpoints.close()
  if stop.signal and int(state.step) < config.num_steps:
    print(f"{stop.signal}: stopped at step {int(state.step)}; start again.")
    return
  began = time.perf_counter()
  predictions = predict(state.eval_variables())
  summary = evaluation.summarize(
    predictions,
    videos.class_names,
    listed=videos.num_test,
    bad_videos=videos.bad_test.reasons(),
    seconds=time.perf_counter() - began,
  )
  evaluation.write_report(
    workdir,
    summary,
    rows=training.read_rows(workdir / "metrics.jsonl"),
    sample=next(iter(videos.eval_batches)),
    predictions=predictions,
  )
  print(evaluation.headline(summary))
  print(f"Report: {workdir / 'report.json'}; pictures beside it.")


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
  create_model(config, num_classes=1)
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


def create_model(
  config: ml_collections.ConfigDict, num_classes: int
) -> nn.Module:
  """Builds the network, without parameters."""
  return temporal_jax.create_model(
    config.model.name,
    num_classes=num_classes,
    num_frames=config.model.num_frames or config.data.num_frames,
    image_size=config.model.image_size or config.data.image_size,
    temporal=config.model.temporal,
    dtype=config.model.dtype or training.default_dtype(),
    **config.model.overrides,
  )


def open_videos(
  config: ml_collections.ConfigDict, workdir: pathlib.Path, setup: Setup
) -> data.Videos:
  """Opens the data set or the user's own files; prepares what is missing."""
  bad_videos = {
    split: data.BadVideos(config.data.on_error, workdir / f"bad_{split}.jsonl")
    for split in ("train", "test")
  }
  sources = data.open_sources(
    name=config.data.name,
    root=config.data.root,
    data_dir=config.data.data_dir,
    splits={"train": config.data.train_split, "test": config.data.test_split},
    test_fraction=config.data.test_fraction,
  )
  return data.open_videos(
    sources,
    setup.clip,
    batch_size=config.batch_size // jax.process_count(),
    seed=config.seed,
    bad_videos=bad_videos,
    num_threads=config.data.num_threads,
    process_index=jax.process_index(),
    process_count=jax.process_count(),
  )


def make_steps(
  config: ml_collections.ConfigDict,
  model: nn.Module,
  setup: Setup,
  videos: data.Videos,
) -> tuple[Any, Any]:
  """Returns the jitted training and evaluation step."""
  flip = data.flipped_labels(videos.class_names, config.data.flip_pairs)
  augmentation = data.Augmentation(
    **setup.pixels,
    flip_labels=flip if config.data.flip else (),
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


def main(argv: list[str]) -> None:
  """Turns what a user can get wrong into one line."""
  if len(argv) > 1:
    raise app.UsageError(f"unknown arguments {argv[1:]}.")
  logging.set_verbosity(logging.WARNING)
  try:
    with training.StopRequest() as stop:
      run(_CONFIG.value, pathlib.Path(_WORKDIR.value).expanduser(), stop)
  except (
    FileNotFoundError,
    TypeError,
    ValueError,
    data.BadVideoError,
    training.NonFiniteLossError,
  ) as error:
    logging.debug("the error was raised here", exc_info=True)
    raise SystemExit(f"train.py: {error}") from None


def parse_flags(argv: list[str]) -> list[str]:
  """Parses the flags; a field the config lacks is named in one line."""
  try:
    return app.parse_flags_with_usage(argv)
  except (AttributeError, KeyError, TypeError) as error:
    raise SystemExit(f"train.py: {error.args[0]}") from None


if __name__ == "__main__":
  flags.mark_flags_as_required(["config", "workdir"])
  app.run(main, flags_parser=parse_flags)
