"""Limits the sizes that a file declares by the size of the file."""

# This package's files are compressed a few times at most: scores and weights
# are noise to a compressor. A file that unpacks to hundreds of times its size
# was made to fill the memory. Small files may hold many equal values.
FREE_BYTES = 64 * 2**20
MAX_RATIO = 64


def check_unpacked(where: str, unpacked: int, packed: int) -> None:
  """Refuses files that unpack to far more than they could be.

  Args:
    where: The file, for messages.
    unpacked: Bytes in memory that its parts declare.
    packed: Bytes that it has on disk.

  Raises:
    ValueError: If it unpacks to more than `FREE_BYTES` and `MAX_RATIO` times
      its size.
  """
  most = FREE_BYTES + MAX_RATIO * packed
  if unpacked > most:
    raise ValueError(
      f"{where} declares {unpacked} bytes in {packed} on disk; at "
      f"most {most} are read ({FREE_BYTES} and {MAX_RATIO} times its size)."
    )
