"""Command lines that absl does not parse: one sentence each."""

import subprocess
import sys

import pytest
from absl import flags

from temporal_jax.experiment.flag_errors import describe_flag_error


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["--wrkdir=x"], "there is no flag --wrkdir; did you mean '--workdir'?"),
    (["--zzz"], "there is no flag --zzz."),
    (
      ["--confg.lr=2"],
      "there is no flag --confg.lr; did you mean '--config'?",
    ),
    (
      ["--config.lr=2"],
      "--config must be in front of --config.lr, whose config it is.",
    ),
    (["--steps=nan"], "--steps must be a whole number, got 'nan'."),
    (["--plan=maybe"], "--plan must be true or false, got 'maybe'."),
    (["--share=a=b"], "--share must be a number, got 'a=b'."),
    (["--workdir"], "Missing value for flag --workdir."),
  ],
)
def test_a_sentence_for_each_error(words, message):
  known = flags.FlagValues()
  for name in ("config", "workdir"):
    flags.DEFINE_string(name, None, "", flag_values=known)
  flags.DEFINE_integer("steps", 1, "", flag_values=known)
  flags.DEFINE_float("share", 1, "", flag_values=known)
  flags.DEFINE_bool("plan", False, "", flag_values=known)
  with pytest.raises(flags.Error) as error:
    known(["program", *words])
  assert describe_flag_error(error.value, known) == message


def test_training_without_its_extra_names_it():
  code = "import sys, runpy; sys.modules['ml_collections'] = None; "
  code += "runpy.run_module('temporal_jax.train', run_name='__main__')"
  done = subprocess.run(
    [sys.executable, "-c", code], capture_output=True, text=True, check=False
  )
  assert done.returncode == 1
  assert done.stderr == (
    "temporal_jax.train: training needs ml_collections: run `pip install "
    "'.[train]'` in a copy of the repository.\n"
  )
