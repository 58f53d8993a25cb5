"""Every row of the papers' tables starts, with the network that is printed."""

import collections
import math

import jax
import pytest

from docs import paper_tables
from temporal_jax import cli, experiment, models
from temporal_jax.experiment.classes import expected_classes
from temporal_jax.experiment.film_run.run import assemble
from temporal_jax.experiment.film_run.settings import FilmSettings
from temporal_jax.experiment.network import create_network
from temporal_jax.training.parameter_names import named
from tests.support.read_config import read_config

# ml_collections loads the files of configs so.
pytestmark = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")

# Rows of each table that the authors trained, counted in the papers.
COUNTS: dict[str, dict[str, int]] = {
  "atm": {
    "A4": 6,
    "A5": 5,
    "A6": 2 * 30,  # On Something-Something v1 and v2.
    "A7": 13,
    "A8": 1,
    "A9": 1,
  },
  "blvnet": {"1": 6, "2": 7, "3": 3, "4": 2, "5": 6, "figure 3a": 2},
  "ila": {"2": 6, "README": 10, "section 1": 1},
  # A row of two data sets is two. Table 11 has a training and two tests a row,
  # 12 and A6 have the features that are trained on HACS too, a row of
  # ActionFormer is two runs, A1 and A2 have the starts on Kinetics-710, figure
  # 4 what the text names.
  "tada": {
    "1": 2,
    "3a": 11,
    "3b": 4,
    "3c": 22,
    "3d": 10,
    "3e": 10,
    "figure 4": 6,
    "4": 18,
    "5": 18,
    "6": 11,
    "7": 10,
    "8": 8,
    "9": 22,
    "10": 6,
    "11": 12,
    "12": 2 * 4,
    "13": 8,
    "A1": 3,
    "A2": 2,
    "figure A1": 1,
    "figure A2": 1,
    "A4a": 4,
    "A4b": 16,
    "A4c": 4,
    "A5": 9,
    "A6": 3 * 2,
    "A8": 10,
  },
  "xvit": {"1": 1, "2": 4, "5": 1, "README": 3, "figure 1": 1, "main paper": 2},
}
ROWS = [row for paper in paper_tables.papers() for row in paper_tables.read(paper)]
# Rows with the same command are one.
COMMANDS = {row.command: row for row in ROWS if row.trains}


def _id(row):
  return f"{row.paper} {row.table}: {row.row}"


_ELSE = ("--config.eval.", "--config.init_from=")


def _training(row):
  """Returns the words of a command, without those of its test and its start."""
  return tuple(w for w in row.arguments() if not w.startswith(_ELSE))


# Rows that only differ in their test or start are one.
RUNS = {_training(row): row for row in COMMANDS.values()}
SIZES = {
  (*_training(row), row.view, row.params, row.gmacs, bool(row.differs)): row
  for row in ROWS
  if row.params or row.gmacs
}


@pytest.mark.parametrize("paper", COUNTS)
def test_no_row_is_missing(paper):
  counts = collections.Counter(row.table for row in ROWS if row.paper == paper)
  assert counts == COUNTS[paper]


def test_the_papers_are_those_with_configs():
  assert set(COUNTS) == {row.paper for row in ROWS} == set(paper_tables.papers())


def test_every_row_has_its_name_and_figures():
  assert len({_id(row) for row in ROWS}) == len(ROWS)
  for row in ROWS:
    assert row.row, _id(row)
    assert row.printed, _id(row)
    assert row.command, _id(row)


@pytest.mark.parametrize("row", COMMANDS.values(), ids=_id)
def test_the_network_of_the_command_is_built(row):
  config = read_config(row.arguments())
  experiment.stages(config)
  if config.task == "localization":
    _assemble_on_films(config)
  else:
    create_network(config, expected_classes(config))


@pytest.mark.slow
@pytest.mark.parametrize("row", RUNS.values(), ids=_id)
def test_the_whole_state_of_the_command_is_built(row):
  config = read_config(row.arguments())
  if config.task == "localization":
    run = _assemble_on_films(config)
  else:
    settings = experiment.RunSettings.from_config(config, jax.devices()[:1])
    classes = expected_classes(config)
    run = experiment.assemble(settings, classes, 100 * config.batch_size)
  assert run.groups.keys() == named(run.shapes.params).keys()


def _assemble_on_films(config):
  """Builds the state of a run on films, whose features may have any width."""
  settings = FilmSettings.from_config(config, jax.devices()[:1])
  classes = config.data.num_classes
  count = 100 * config.batch_size
  return assemble(settings, settings.network(classes), 768, classes, count)


@pytest.mark.slow
@pytest.mark.parametrize("row", SIZES.values(), ids=_id)
def test_parameters_and_multiply_adds_are_those_printed(row):
  pairs = list(zip((row.params, row.gmacs), _size(row), strict=True))
  if any(printed.startswith("+") for printed, _ in pairs):
    plain = _size(row, "--config.model.temporal=none")
    pairs = [
      (printed, ours - base) for (printed, ours), base in zip(pairs, plain, strict=True)
    ]
  fits = [
    math.isclose(float(printed), ours, rel_tol=0.01) or _rounds_to(printed, ours)
    for printed, ours in pairs
    if printed
  ]
  assert all(fits) != bool(row.differs), pairs


def _size(row, *flags):
  """Returns parameters / 1e6 and multiply-adds / 1e9 of a row's view."""
  config = read_config([*row.arguments(), *flags])
  frames, side = config.data.num_frames, config.data.image_size
  if row.view:
    frames, side = map(int, row.view.split(" x "))
  classes = expected_classes(config)
  network = create_network(config, classes)
  outputs = sum(classes.values()) if isinstance(classes, dict) else classes
  clip, *texts = models.count.abstract_inputs(network, (frames, side, side), outputs)
  variables = jax.eval_shape(network.init, jax.random.key(0), clip)
  multiply_adds = models.count.multiply_adds(network.apply, variables, clip, *texts)
  return models.count.parameters(variables) / 1e6, multiply_adds / 1e9


def _rounds_to(printed, ours):
  """Whether a figure is another one at the digits that are printed."""
  return abs(float(printed) - ours) <= 0.5 * 10.0 ** -len(printed.partition(".")[2])


@pytest.mark.parametrize(
  "command", sorted({row.command for row in ROWS if not row.trains})
)
def test_other_commands_are_known(command, capsys):
  program, *arguments = command.split()
  assert program in ("temporal-jax", "python"), command
  if program == "temporal-jax":
    with pytest.raises(SystemExit) as ended:
      cli.main([*arguments, "--help"])  # Read up to there, then not run.
    assert ended.value.code == 0
    options = capsys.readouterr().out
    assert all(word in options for word in arguments if word.startswith("--"))
  else:
    module = arguments[1] if arguments[0] == "-m" else ""
    assert module in ("convert_weights", "temporal_jax.train"), command
