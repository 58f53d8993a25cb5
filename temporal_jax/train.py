"""Trains and evaluates a video network.

  python train.py --config=configs/camera_motion.py --workdir=runs/demo

Every field of the config can be set by --config.FIELD=VALUE. The same command
again goes on where the run stopped or, when it is complete, evaluates it again.

  --plan                shows the layout of a step on --plan_devices simulated
                        devices, or on the TPU --plan_tpu that need not be there
  --draw=FILE.png       draws augmented training clips
  --wait                waits while another start is in the workdir
  --verbosity=1         shows where an error was raised
  --coordinator=HOST:PORT --num_processes=N --process_id=I
                        is one of N processes of a run; --distributed instead
                        where JAX finds that out by itself (TPU, Slurm, ...)
"""

import argparse
import functools
import pathlib

import jax
import ml_collections
from absl import app, flags, logging
from ml_collections import config_flags

from temporal_jax import (
  data,
  display,
  evaluation,
  experiment,
  inference,
  process_setup,
  storage,
  training,
)

_CONFIG = config_flags.DEFINE_config_file("config", lock_config=True)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of all a run writes.")
_PLAN = flags.DEFINE_bool("plan", False, "Show the layout instead of training.")
_PLAN_DEVICES = flags.DEFINE_integer("plan_devices", 8, "Simulated devices.")
_PLAN_TPU = flags.DEFINE_string("plan_tpu", None, "As v5p:4x4x4, instead.")
_DRAW = flags.DEFINE_string("draw", None, "PNG of clips instead of training.")
_WAIT = flags.DEFINE_bool("wait", False, "Wait while workdir is in use.")
_DISTRIBUTED = flags.DEFINE_bool("distributed", False, "One of several.")
_COORDINATOR = flags.DEFINE_string("coordinator", None, "Of the processes.")
_NUM_PROCESSES = flags.DEFINE_integer("num_processes", None, "With it.")
_PROCESS_ID = flags.DEFINE_integer("process_id", None, "From 0.")

# They say what was wrong in words that are meant for the user.
_EXPECTED = (
  *(ImportError, OSError, ValueError),
  data.BadVideoError,
  storage.FolderInUseError,
  training.CheckpointError,
  training.NonFiniteLossError,
)


def run_stages(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  stop: training.StopRequest,
) -> None:
  """Runs the stages of a config, each from the weights of the one before."""
  stages = experiment.stages(config)
  for number, stage in enumerate(stages, start=1):
    place = workdir
    if len(stages) > 1:
      place = workdir / f"stage_{number}"
      if jax.process_index() == 0:
        print(f"stage {number} of {len(stages)}: {place}")
    if number > 1:
      stage.init_from = str(workdir / f"stage_{number - 1}")
    run(stage, place, stop)
    if stop.signal:
      return


def run(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  stop: training.StopRequest,
) -> None:
  """One run, from its config to its report."""
  first = jax.process_index() == 0
  say = print if first else lambda *words: None
  earlier = experiment.earlier_description(workdir)
  given, config = config, experiment.complete(config, earlier)
  mesh = experiment.check(config)
  videos = experiment.open_videos(config, workdir, say)
  names = videos.class_names
  known = evaluation.accuracy_names(
    tasks=tuple(names) if isinstance(names, dict) else (),
    multi_label=videos.multi_label,
  )
  experiment.check_keep_best(config, known)
  parts = experiment.assemble(
    config, experiment.num_classes(config, videos), videos.num_train, mesh
  )
  description = experiment.describe(config, videos, earlier)
  checkpoints = training.Checkpoints(
    workdir / training.CHECKPOINTS,
    keep=config.keep_checkpoints,
    best=config.keep_best if config.eval_every else "",
  )
  state, position, origin = training.first_state(
    *(parts.model, parts.optimizer, parts.shapes),
    clip_shape=experiment.clip_shape(config),
    seed=config.seed,
    init_from=config.init_from,
    fitting=functools.partial(experiment.fitting, config, parts, names),
    checkpoints=checkpoints,
  )
  note = videos.train_batches.seek(position) if position else ""
  if first:  # Only now: a start that is refused changes nothing.
    training.check_records(workdir)
    # As the next start completes it, so that it finds no other config.
    completed = experiment.complete(given, description)
    for words in training.write_config(workdir, completed.to_json(indent=2)):
      say(words)
    for change in experiment.differences(earlier, videos):
      say(f"{change}.")
    inference.write_description(workdir, description, state.variables())
  say(training.describe_groups(parts.shapes.params, parts.groups))
  say(f"start: {origin}.")
  if note:
    say(f"Training clips: {note}.")
  train_step, eval_step = experiment.create_steps(
    *(config, parts, experiment.create_augmentation(config, names)),
    inputs=experiment.other_inputs(parts.model, names, state.variables(), parts.groups),
  )

  place = functools.partial(training.place_batch, mesh=mesh)
  scoring = experiment.Scoring(videos, eval_step, place, experiment.protocol(config))
  with (
    training.Records(workdir, int(state.step)) as records,
    training.Progress(parts.length.num_steps, int(state.step)) as progress,
  ):
    state = training.train(
      *(state, train_step, videos.train_batches),
      place=place,
      plan=experiment.plan(config, parts.length),
      schedule=experiment.schedule(config, parts.length),
      evaluate=functools.partial(scoring.accuracies, say=progress.say),
      checkpoints=checkpoints,
      records=records,
      progress=progress,
      stop=stop,
      gather=evaluation.gather_json,
    )
  checkpoints.close()
  if stop.signal and int(state.step) < parts.length.num_steps:
    say(f"{stop.signal}: stopped at step {int(state.step)}; start again.")
    return
  predictions, summary = scoring.summarize(state.eval_variables())
  if first:
    evaluation.write_report(
      *(workdir, summary),
      rows=training.write_final(
        *(workdir, int(state.step)), evaluation.accuracies(predictions)
      ),
      sample=next(iter(videos.eval_batches)),
      predictions=predictions,
    )
  say(evaluation.headline(summary))
  say(f"Report: {workdir / 'report.json'}; pictures beside it.")


def main(argv: list[str]) -> None:
  """Turns what a user can get wrong into one line."""
  if len(argv) > 1:
    raise app.UsageError(f"unknown arguments {argv[1:]}.")
  if not flags.FLAGS["verbosity"].present:
    logging.set_verbosity(logging.WARNING)
    # What Orbax's threads run into, `training.Checkpoints` raises as well.
    logging.get_absl_logger().addFilter(
      lambda record: not (record.exc_info and "orbax" in record.pathname)
    )
  if not (_PLAN.value or _DRAW.value or _WORKDIR.value):
    raise app.UsageError("--workdir must say where the run writes.")
  process_setup.keep_compiled()
  try:
    with training.StopRequest() as stop:
      if _PLAN.value:
        print(experiment.show_plan(_CONFIG.value, _PLAN_DEVICES.value, _PLAN_TPU.value))
      elif _DRAW.value:
        experiment.draw(_CONFIG.value, _DRAW.value)
      else:
        _join_processes()
        workdir = pathlib.Path(_WORKDIR.value).expanduser()
        with experiment.lock(workdir, wait=_WAIT.value, stop=stop):
          run_stages(_CONFIG.value, workdir, stop)
  except Exception as error:
    logging.debug("the error was raised here", exc_info=True)
    words = display.error_message(
      *("train.py", error), expected=_EXPECTED, option="--verbosity=1"
    )
    raise SystemExit(words) from None


def _join_processes() -> None:
  """Meets the other processes of the run, if there are any."""
  if _COORDINATOR.value:
    jax.distributed.initialize(
      _COORDINATOR.value, _NUM_PROCESSES.value, _PROCESS_ID.value
    )
  elif _DISTRIBUTED.value:
    jax.distributed.initialize()


def parse_flags(argv: list[str]) -> list[str]:
  """Parses the flags; a field the config lacks is named in one line."""
  try:
    return app.parse_flags_with_usage(argv)
  except (AttributeError, KeyError, TypeError) as error:
    message = experiment.unknown_field(_config_in_file(argv), argv)
    raise SystemExit(f"train.py: {message or error.args[0]}") from None


def _config_in_file(argv: list[str]) -> ml_collections.ConfigDict:
  """Returns the config of the file that --config names, without other flags."""
  options = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
  options.add_argument("--config", "-config")
  path = options.parse_known_args(argv)[0].config
  return flags.FLAGS["config"].parser.parse(path)


if __name__ == "__main__":
  flags.mark_flags_as_required(["config"])
  app.run(main, flags_parser=parse_flags)
