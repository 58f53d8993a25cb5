"""Maps a function over many inputs, by threads."""

import concurrent.futures
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from temporal_jax.validation import check_at_least

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def run_parallel(
  function: Callable[[_Item], _Result],
  items: Iterable[_Item],
  num_threads: int,
) -> Iterator[tuple[_Item, _Result]]:
  """Returns items with their results, in the order in which they are done.

  Only a few items are taken ahead of those that are done. Decoding and hashing
  leave Python's lock, so that threads are enough.

  Args:
    function: Called in threads; an error that it raises ends everything.
    items: Arguments of the calls.
    num_threads: Calls at a time.

  Raises:
    ValueError: If `num_threads` is below 1.
  """
  check_at_least("num_threads", num_threads, 1)
  return _run_parallel(function, items, num_threads)


def _run_parallel(
  function: Callable[[_Item], _Result],
  items: Iterable[_Item],
  num_threads: int,
) -> Iterator[tuple[_Item, _Result]]:
  """Yields the pairs of `run_parallel`."""
  todo = iter(items)
  with concurrent.futures.ThreadPoolExecutor(num_threads) as pool:
    running: dict[concurrent.futures.Future[_Result], _Item] = {}
    try:
      while True:
        for item in todo:
          running[pool.submit(function, item)] = item
          if len(running) >= 2 * num_threads:
            break
        if not running:
          return
        done, _ = concurrent.futures.wait(
          running, return_when=concurrent.futures.FIRST_COMPLETED
        )
        for future in done:
          yield running.pop(future), future.result()
    finally:
      for future in running:
        future.cancel()


def run_in_order(
  function: Callable[[_Item], _Result],
  items: Iterable[_Item],
  num_threads: int,
  *,
  ahead: int,
) -> Iterator[_Result]:
  """Returns the results of items in their order, computed ahead of their use.

  Args:
    function: Called in threads; an error that it raises ends everything.
    items: Arguments of the calls.
    num_threads: Calls at a time.
    ahead: Most items that are taken before their results are asked for.

  Raises:
    ValueError: If `num_threads` or `ahead` is below 1.
  """
  for name, number in (("num_threads", num_threads), ("ahead", ahead)):
    check_at_least(name, number, 1)
  return _run_in_order(function, items, num_threads, ahead)


def _run_in_order(
  function: Callable[[_Item], _Result],
  items: Iterable[_Item],
  num_threads: int,
  ahead: int,
) -> Iterator[_Result]:
  """Yields the results of `run_in_order`."""
  todo = iter(items)
  with concurrent.futures.ThreadPoolExecutor(num_threads) as pool:
    running: deque[concurrent.futures.Future[_Result]] = deque()
    try:
      while True:
        for item in itertools.islice(todo, ahead - len(running)):
          running.append(pool.submit(function, item))
        if not running:
          return
        yield running.popleft().result()
    finally:
      for future in running:
        future.cancel()
