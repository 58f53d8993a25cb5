"""The error of a file that is no checkpoint, or not a good one."""


class CheckpointError(ValueError):
  """A file that cannot be read as a checkpoint; the message has the reason."""
