"""The config that a command line of `temporal_jax.train` makes."""

from absl import flags

from temporal_jax import experiment
from temporal_jax.configs import datasets


def read_config(arguments, known=None):
  """Returns the config.

  Args:
    arguments: Flags, e.g. ["--config=finetune", "--config.seed=3"].
    known: Flags that may be given as well; none if None.
  """
  known = flags.FlagValues() if known is None else known
  command = ["temporal_jax.train", *arguments]
  holder = experiment.define_config(
    known, command, unknown_run=datasets.UnknownRunError
  )
  assert known(command) == command[:1]
  return holder.value
