"""Formats an error as one message for users of the commands."""

from temporal_jax.display.names import printable_lines


def error_message(
  program: str,
  error: Exception,
  *,
  expected: tuple[type[Exception], ...] = (Exception,),
  option: str = "",
) -> str:
  """Returns the message that a command prints instead of a traceback.

  Args:
    program: Name of the program, such as "temporal-jax predict".
    error: Error that ended the program.
    expected: Kinds of errors whose messages describe a fault of the input;
      of other ones the kind is named, and how to see where they come from.
    option: The option that makes the program show a traceback, in words.
  """
  if isinstance(error, OSError) and error.filename and error.strerror:
    names = [error.filename, error.filename2]
    words = f"{' -> '.join(str(name) for name in names if name)}: "
    words += f"{error.strerror}."
  else:
    words = str(error)
  if not isinstance(error, expected):
    kind = type(error).__name__
    words = (
      f"{kind}: {words}\n"
      f"This program does not expect a {kind} here: it may be at fault. "
      f"{option} shows where it comes from."
    )
  return printable_lines(f"{program}: {words}")
