"""Memory of arrays in a mapped file."""

import ctypes
import mmap
import sys

import numpy as np

# Not in the module mmap. Unlike MADV_DONTNEED it loses nothing: pages that were
# not read from a file, or have changed, stay.
_MADV_PAGEOUT = 21


def release(array: np.ndarray) -> None:
  """Gives back the memory of an array that is not needed for now.

  Pages of a mapped file are read again if they are needed after all; other
  arrays are left as they are, and on other systems than Linux this does
  nothing.
  """
  is_whole = isinstance(array, np.ndarray) and array.flags.c_contiguous
  if sys.platform != "linux" or not is_whole:
    return
  page = mmap.PAGESIZE
  start = -(-array.ctypes.data // page) * page
  length = (array.ctypes.data + array.nbytes) // page * page - start
  if length > 0:
    ctypes.CDLL(None).madvise(
      ctypes.c_void_p(start), ctypes.c_size_t(length), _MADV_PAGEOUT
    )
