"""Several processes of a run, simulated by threads."""

import threading

import numpy as np


class SimulatedProcesses:
  """Runs one function for each process, in threads that gather."""

  def __init__(self, count):
    """Prepares so many processes."""
    self._barrier = threading.Barrier(count, timeout=20)
    self._values = [None] * count

  def run(self, function):
    """Returns function(index, stack) of each process."""
    results = [None] * len(self._values)

    def one(index):
      results[index] = function(index, lambda values: self._stack(index, values))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(results))]
    for thread in threads:
      thread.start()
    for thread in threads:
      thread.join()
    return results

  def _stack(self, index, values):
    self._values[index] = values
    self._barrier.wait()
    together = np.stack(self._values)
    self._barrier.wait()
    return together
