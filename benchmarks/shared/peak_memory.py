"""Runs a command and writes its peak memory, in bytes, to a file.

  python -m benchmarks.shared.peak_memory FILE COMMAND [ARGUMENT ...]

The peak is the largest resident memory of any process of the command. This
program is small and a process of its own, because Linux counts the memory of
the process that starts a child as the child's.
"""

import pathlib
import resource
import subprocess
import sys


def main() -> int:
  """Returns the exit status of the command."""
  file, *command = sys.argv[1:]
  status = subprocess.call(command)
  peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
  unit = 1 if sys.platform == "darwin" else 1024
  pathlib.Path(file).write_text(str(peak * unit))
  return status


if __name__ == "__main__":
  sys.exit(main())
