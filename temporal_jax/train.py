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

import argparse
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
from ml_collections import config_flags

from temporal_jax import (
  config_files,
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


class _ConfigParser(flags.ArgumentParser):
  """Parser of --config: a file, or the name of a config of the package.

  Args:
    of_files: Parser of files.
    arguments: The command line, whose other flags may set further arguments of
      the network.
  """

  def __init__(self, of_files: flags.ArgumentParser, arguments: Sequence[str]):
    self._of_files = of_files
    self._arguments = arguments

  def parse(self, argument: str) -> ml_collections.ConfigDict:
    """Returns the config.

    Raises:
      _ConfigError: If there is none, or its file does not make one.
    """
    try:
      config = self._of_files.parse(config_files.find_config(argument))
    except FileNotFoundError as error:
      raise _ConfigError(f"{error}") from None
    except datasets.UnknownRunError as error:
      # ml_collections raised it once more, with a traceback in the message.
      raise _ConfigError(f"--config={argument}: {error.__context__}") from None
    except Exception as error:  # The file may be anybody's.
      logging.debug("the error was raised here", exc_info=True)
      words = (str(error.__context__ or error) or "no words").splitlines()[0]
      raise _ConfigError(
        f"--config={argument}: the file makes no config; it ends in "
        f"{type(error).__name__}: {words}"
      ) from error
    if not isinstance(config, ml_collections.ConfigDict):
      raise _ConfigError(
        f"--config={argument}: get_config must return an ml_collections.ConfigDict, "
        f"got {type(config).__name__}."
      )
    experiment.add_overrides(config, self._arguments)
    return config


class _ConfigError(Exception):
  """There is no config, in words for the user."""


def _define_config(
  flag_values: flags.FlagValues, arguments: list[str]
) -> flags.FlagHolder[ml_collections.ConfigDict]:
  """Defines --config, which looks for --config.FIELD in the arguments."""
  holder = config_flags.DEFINE_config_file(
    "config",
    help_string="File, or a name that temporal-jax configs lists.",
    flag_values=flag_values,
    sys_argv=arguments,
  )
  flag = flag_values["config"]
  flag.parser = _ConfigParser(flag.parser, arguments)
  return holder


_ARGUMENTS: list[str] = []  # The command line, once it is known.
_CONFIG = _define_config(flags.FLAGS, _ARGUMENTS)
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
  program, *others = argv
  if others:
    _refuse(program, f"unknown arguments {others}.")
  if not flags.FLAGS["verbosity"].present:
    logging.set_verbosity(logging.WARNING)
    # `training.Checkpoints` also raises the errors of Orbax's threads.
    logging.get_absl_logger().addFilter(
      lambda record: not (record.exc_info and "orbax" in record.pathname)
    )
  if not (_PLAN.value or _DRAW.value or _WORKDIR.value):
    _refuse(program, "--workdir must name the folder that the run writes.")
  process_setup.keep_compiled()
  try:
    with training.StopRequest() as stop:
      if _PLAN.value:
        with experiment.start_weights(_CONFIG.value) as weights:
          config = weights.used_in(_CONFIG.value)
          kind = experiment.run_kind(config)
          print(kind.show_layout(config, _PLAN_DEVICES.value, _PLAN_TPU.value))
      elif _DRAW.value:
        with experiment.start_weights(_CONFIG.value) as weights:
          config = weights.used_in(_CONFIG.value)
          experiment.run_kind(config).draw(config, _DRAW.value)
      else:
        _join_processes()
        workdir = pathlib.Path(_WORKDIR.value).expanduser()
        with experiment.lock(workdir, wait=_WAIT.value, stop=stop):
          run_stages(_CONFIG.value, workdir, stop, _PROFILE.value)
  except Exception as error:
    logging.debug("the error was raised here", exc_info=True)
    words = display.error_message(
      program, error, expected=_EXPECTED, option="--verbosity=1"
    )
    raise SystemExit(words) from None


def _join_processes() -> None:
  """Meets the other processes of the run, if there are any."""
  if _COORDINATOR.value:
    jax.distributed.initialize(
      _COORDINATOR.value, _NUM_PROCESSES.value, _PROCESS_ID.value
    )
  elif _DISTRIBUTED.value:
    try:
      jax.distributed.initialize()
    except ValueError as error:  # Of arguments that this machine did not give.
      raise ValueError(
        "--distributed found no TPU pod, Slurm job or other cluster that JAX "
        "knows; give --coordinator=HOST:PORT --num_processes=N --process_id=I: "
        f"{error}"
      ) from error


def parse_flags(argv: list[str]) -> list[str]:
  """Parses the flags; an error in them becomes one sentence."""
  _ARGUMENTS[:] = argv
  try:
    left = flags.FLAGS(argv)
  except flags.Error as error:
    _refuse(argv[0], experiment.describe_flag_error(error, flags.FLAGS))
  except _ConfigError as error:
    _refuse(argv[0], str(error))
  except (AttributeError, KeyError, TypeError, ValueError) as error:
    message = experiment.unknown_field(_config_in_file(argv), argv)
    _refuse(argv[0], message or " ".join(str(error.args[0]).split()))
  if _CONFIG.value is None:
    _refuse(argv[0], "--config must be a file, or a name of `temporal-jax configs`.")
  return left


def _refuse(program: str, words: str) -> NoReturn:
  """Ends the process, with a message about its flags."""
  print(display.printable_lines(f"{program}: {words}"), file=sys.stderr)
  raise SystemExit(2)


def read_config(arguments: Sequence[str]) -> ml_collections.ConfigDict:
  """Returns the config that a command makes.

  Args:
    arguments: Its flags, e.g. ["--config=finetune", "--config.seed=3"].
  """
  flag_values = flags.FlagValues()
  command = ["temporal_jax.train", *arguments]
  holder = _define_config(flag_values, command)
  flag_values(command)
  return holder.value


def _config_in_file(argv: list[str]) -> ml_collections.ConfigDict:
  """Returns the config of the file that --config names, without other flags."""
  options = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
  options.add_argument("--config", "-config")
  name = options.parse_known_args(argv)[0].config
  return flags.FLAGS["config"].parser.parse(name)


def run_program(program: str, arguments: Sequence[str]) -> NoReturn:
  """Trains as the flags say, and ends the process.

  Args:
    program: Name of the program in messages.
    arguments: The flags, e.g. ["--config=finetune", "--workdir=runs/mine"].
  """
  app.run(main, argv=[program, *arguments], flags_parser=parse_flags)


if __name__ == "__main__":
  run_program("temporal_jax.train", sys.argv[1:])
