"""Describes an error of the command line in one sentence."""

import re

from absl import flags

from temporal_jax.lookup import did_you_mean

# By the type of a flag.
_WORDS = {
  "bool": "true or false",
  "float": "a number",
  "int": "a whole number",
  "tuple": "values in brackets, as '(1, 2)'",
}


def describe_flag_error(error: flags.Error, known: flags.FlagValues) -> str:
  """Returns a sentence about flags that absl does not parse.

  Args:
    error: Error of absl.
    known: All flags, including the fields of a config.
  """
  if isinstance(error, flags.UnrecognizedFlagError):
    if error.flagname.startswith("config."):
      return f"--config must be in front of --{error.flagname}, whose config it is."
    first = f"--{error.flagname}".partition(".")[0]
    hint = did_you_mean(first, (f"--{name}" for name in known))
    return f"there is no flag --{error.flagname}{hint or '.'}"
  words = " ".join(str(error).split()).rstrip(".")
  refused = re.fullmatch(r"flag --([^=]+)=(.*?): (.*)", words)
  if not refused:
    return f"{words}."
  name, value, reason = refused.groups()
  kind = known[name].flag_type() if name in known else ""
  if kind in _WORDS:
    return f"--{name} must be {_WORDS[kind]}, got {value!r}."
  return f"--{name}={value}: {reason}."
