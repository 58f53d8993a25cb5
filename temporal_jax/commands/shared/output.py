"""Progress, lines and files of commands."""

import json
import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from temporal_jax.display import printable
from temporal_jax.storage import write_text

if TYPE_CHECKING:
  from temporal_jax.inference import PendingModel, SavedModel


def say(line: str, *, file: TextIO | None = None, flush: bool = False) -> None:
  """Prints a line, safe for a terminal whatever names are in it.

  Args:
    line: One line; see `display.printable` for escaped characters.
    file: Stream to print to, stdout if None.
    flush: Whether the line must be seen at once.
  """
  print(printable(line), file=file, flush=flush)


def track(words: str) -> Callable[[Iterable[Any], int], Iterator[Any]]:
  """Returns a function that shows the progress of a command.

  It takes things as they come, and their number, and hands them on. Nothing is
  shown where stderr is no terminal, and nothing remains of it at the end.

  Args:
    words: Name of the work in progress.
  """

  def shown(items: Iterable[Any], total: int) -> Iterator[Any]:
    import rich.console
    import rich.progress

    console = rich.console.Console(stderr=True)
    with rich.progress.Progress(
      console=console,
      transient=True,
      # Lines that go to a file or a pipe are not for the terminal.
      redirect_stdout=sys.stdout.isatty(),
      disable=not console.is_terminal,
    ) as progress:
      yield from progress.track(items, total=total, description=words)

  return shown


def load_model(directory: str | pathlib.Path) -> "SavedModel":
  """Reads a network; warns on stderr if parts of it were never trained.

  Args:
    directory: See `inference.load_model`.
  """
  return begin_loading(directory).wait()


def begin_loading(directory: str | pathlib.Path) -> "PendingModel":
  """Begins to read a network; see `load_model`.

  Args:
    directory: See `inference.begin_loading`.
  """
  from temporal_jax import inference

  model = inference.begin_loading(directory)
  if words := inference.describe_untrained(model.outline):
    say(f"note: {words}", file=sys.stderr)
  return model


def write_json(file: pathlib.Path | None, content: Any) -> None:
  """Writes JSON, if there is a file for it."""
  if file:
    write_text(file, json.dumps(content, indent=2) + "\n")
