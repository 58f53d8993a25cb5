"""Trains and evaluates a video network.

  temporal-jax train --config=camera_motion --workdir=runs/demo

`python -m temporal_jax.train` and, in the repository, `python train.py` are the
same. --config takes a file or a name that `temporal-jax configs` lists. Every
field of the config can be set by --config.FIELD=VALUE. The same command again
goes on where the run stopped or, when it is complete, evaluates it again.

  --plan                shows the layout of a step on --plan_devices simulated
                        devices, or on the TPU --plan_tpu that need not be there
  --draw=FILE.png       draws augmented training clips
  --profile=100:110     traces the ten steps after step 100, for TensorBoard
  --wait                waits while another start is in the workdir
  --verbosity=1         shows where an error was raised
  --coordinator=HOST:PORT --num_processes=N --process_id=I
                        is one of N processes of a run; --distributed instead
                        where JAX finds that out by itself (TPU, Slurm, ...)
"""

import functools
import json
import pathlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from temporal_jax import extras

try:
  extras.check_train("training")
except ImportError as error:
  if __name__ != "__main__":
    raise
  raise SystemExit(f"temporal_jax.train: {error}") from None

import jax
import ml_collections
from absl import app, flags, logging

from temporal_jax import (
  data,
  display,
  evaluation,
  experiment,
  pretrained,
  process_setup,
  storage,
  training,
)
from temporal_jax.configs import datasets, probe

_ARGUMENTS: list[str] = []  # The command line, once it is known.
_CONFIG = experiment.define_config(
  flags.FLAGS, _ARGUMENTS, unknown_run=datasets.UnknownRunError
)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of all a run writes.")
_PLAN = flags.DEFINE_bool("plan", False, "Show the layout instead of training.")
_PLAN_DEVICES = flags.DEFINE_integer("plan_devices", 8, "Simulated devices.")
_PLAN_TPU = flags.DEFINE_string("plan_tpu", None, "As v5p:4x4x4, instead.")
_DRAW = flags.DEFINE_string("draw", None, "PNG of clips instead of training.")
_PROFILE = flags.DEFINE_string("profile", None, "Steps to trace, as 100:110.")
_WAIT = flags.DEFINE_bool("wait", False, "Wait while workdir is in use.")
_DISTRIBUTED = flags.DEFINE_bool("distributed", False, "One of several.")
_COORDINATOR = flags.DEFINE_string("coordinator", None, "Of the processes.")
_NUM_PROCESSES = flags.DEFINE_integer("num_processes", None, "With it.")
_PROCESS_ID = flags.DEFINE_integer("process_id", None, "From 0.")

# Their messages describe the fault in words for the user.
_EXPECTED = (
  ImportError,
  OSError,
  ValueError,
  data.BadVideoError,
  storage.FolderInUseError,
  training.CheckpointError,
  training.NonFiniteLossError,
)


def run_stages(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  stop: training.StopRequest,
  profile: str | None = None,
) -> None:
  """Runs the stages of a config, each from the weights of the one before."""
  stages = experiment.stages(config)
  places = [workdir]
  if len(stages) > 1:
    places = [workdir / f"stage_{number}" for number in range(1, len(stages) + 1)]
  for stage, place in zip(stages, places, strict=True):
    experiment.check_start(stage, place, profile, probe=probe.get_config())
  for number, (stage, place) in enumerate(zip(stages, places, strict=True), start=1):
    if len(stages) > 1 and jax.process_index() == 0:
      print(f"stage {number} of {len(stages)}: {place}")
    if number > 1:
      stage.init_from = str(places[number - 2])
    run(stage, place, stop, profile)
    if stop.signal:
      return


def run(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  stop: training.StopRequest,
  profile: str | None = None,
) -> None:
  """One run, from its config to its report; `profile` names steps to trace."""
  experiment.check_start(config, workdir, profile, probe=probe.get_config())
  kind = experiment.run_kind(config)
  earlier = experiment.earlier_description(workdir, kind.read_description)
  with experiment.start_weights(
    config, earlier=earlier, workdir=workdir, convert=pretrained.convert
  ) as weights:
    _run(config, workdir, stop, earlier, weights, profile)


def _run(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  stop: training.StopRequest,
  earlier: experiment.Description | None,
  weights: experiment.StartWeights,
  profile: str | None,
) -> None:
  """One run, whose weights are on this machine."""
  first = jax.process_index() == 0
  say = print if first else lambda *words: None
  kind = experiment.run_kind(config)
  given, config = config, kind.complete(weights.used_in(config), earlier)
  if kind.fit is not None:
    kind.fit(config, workdir, weights.described(), given.init_from, say)
    return
  opened = kind.open_run(config, workdir, earlier, say)
  components, length = opened.components, opened.components.length
  profiled = training.parse_steps(profile, length.num_steps) if profile else range(0)
  description = {**opened.describe(earlier), **weights.described()}
  # As the next start completes it, so that it finds no other config.
  completed = kind.complete(given, description).to_json(indent=2)
  experiment.check_adapters(workdir, completed)
  checkpoints = training.Checkpoints(
    workdir / training.CHECKPOINTS,
    keep=config.keep_checkpoints,
    best=config.keep_best if config.eval_every else "",
  )
  state, position, origin = training.first_state(
    opened.initialise,
    components.optimizer,
    components.shapes,
    seed=config.seed,
    init_from=config.init_from,
    fitting=opened.fitting,
    checkpoints=checkpoints,
  )
  note = opened.train_batches.seek(position) if position else ""
  patience = training.Patience(config.keep_best, config.stop_after, position)
  if position and (int(state.step) >= length.num_steps or patience.is_over):
    experiment.check_finished(workdir, completed, earlier, opened.lists)
  if first:  # Only now: a start that is refused changes nothing.
    training.check_records(workdir)
    weights.keep(workdir)
    for words in training.write_config(workdir, completed):
      say(words)
    for change in experiment.differences(earlier, opened.lists):
      say(f"{change}.")
    opened.write_description(workdir, description, state.variables())
  say(training.describe_groups(components.shapes.params, components.groups))
  say(f"start: {weights.named(origin)}.")
  if note:
    say(f"Training {opened.examples}: {note}.")
  if profiled and int(state.step) >= profiled.stop:
    say(f"--profile={profile}: these steps are done, none is traced.")
  train_step, scoring = opened.start(state.variables())
  observers = None
  if first:
    observers = training.Observers(
      config.observers,
      training.RunStart(
        workdir, int(state.step), config.project, json.loads(completed), description
      ),
    )
  step, num_test = int(state.step), opened.lists["test"]["videos"]
  with training.Records(workdir, step, observers) as records:
    with training.Progress(length.num_steps, step, num_test=num_test) as progress:
      state = training.train(
        state,
        train_step,
        opened.train_batches,
        place=opened.place,
        cadence=experiment.cadence(config, length),
        schedule=experiment.schedule(config, length),
        evaluate=functools.partial(scoring.quick, say=progress.say),
        checkpoints=checkpoints,
        records=records,
        progress=progress,
        stop=stop,
        patience=patience,
        gather=evaluation.gather_json,
        examples=opened.examples,
        profile=training.Profile(workdir, profiled),
      )
    step, tested = int(state.step), state
    if patience.is_over:
      tested = checkpoints.restore_step(patience.best_step, components.shapes)
    checkpoints.close()
    if stop.signal and step < length.num_steps and not patience.is_over:
      say(f"{stop.signal}: stopped at step {step}; run the same command to go on.")
      return
    if patience.is_over:
      say(
        f"stopped after step {step} of {length.num_steps}: {patience.describe()}; "
        f"the network of {workdir} is the best one, "
        f"{checkpoints.path(patience.best_step)}."
      )
    say("testing ...")
    test = scoring.final(tested.eval_variables())
    rows = records.write_final(step, test.values)
    if first:
      test.write(workdir, rows)
  say(test.headline)
  say(f"Report: {workdir / 'report.json'}; pictures next to it.")


def main(argv: list[str]) -> None:
  """Runs the program; errors of its user become one line."""
  (program,) = argv
  if not flags.FLAGS["verbosity"].present:
    logging.set_verbosity(logging.WARNING)
    # `training.Checkpoints` also raises the errors of Orbax's threads.
    logging.get_absl_logger().addFilter(
      lambda record: not (record.exc_info and "orbax" in record.pathname)
    )
  if not (_PLAN.value or _DRAW.value or _WORKDIR.value):
    experiment.refuse(program, "--workdir must name the folder that the run writes.")
  process_setup.keep_compiled()
  try:
    with training.StopRequest() as stop:
      if _PLAN.value:
        with experiment.start_weights(_CONFIG.value) as weights:
          config = weights.used_in(_CONFIG.value)
          kind = experiment.run_kind(config)
          print(kind.show_layout(config, _PLAN_DEVICES.value, _PLAN_TPU.value))
      elif _DRAW.value:
        file = pathlib.Path(_DRAW.value).expanduser()
        storage.check_outputs({"--draw": file})
        with experiment.start_weights(_CONFIG.value) as weights:
          config = weights.used_in(_CONFIG.value)
          experiment.run_kind(config).draw(config, str(file))
      else:
        experiment.join_processes(
          _COORDINATOR.value,
          _NUM_PROCESSES.value,
          _PROCESS_ID.value,
          distributed=_DISTRIBUTED.value,
        )
        workdir = pathlib.Path(_WORKDIR.value).expanduser()
        with experiment.lock(workdir, wait=_WAIT.value, stop=stop):
          run_stages(_CONFIG.value, workdir, stop, _PROFILE.value)
  except Exception as error:
    logging.debug("the error was raised here", exc_info=True)
    words = display.error_message(
      program, error, expected=_EXPECTED, option="--verbosity=1"
    )
    raise SystemExit(words) from None


def run_program(program: str, arguments: Sequence[str]) -> NoReturn:
  """Trains as the flags say, and ends the process.

  Args:
    program: Name of the program in messages.
    arguments: The flags, e.g. ["--config=finetune", "--workdir=runs/mine"].
  """
  parse = functools.partial(
    experiment.parse_flags, known=flags.FLAGS, arguments=_ARGUMENTS
  )
  app.run(main, argv=[program, *arguments], flags_parser=parse)


if __name__ == "__main__":
  run_program("temporal_jax.train", sys.argv[1:])
