"""The commands of `temporal-jax`, one per module; `cli` finds the modules.

A module's docstring begins with the command's purpose. `COMPUTES` is whether it
runs networks, so that its process is set up for them first. The function
`add_arguments(parser)` declares its arguments, and `run(options) -> int` runs
it and returns the exit code. Only Python's own modules are imported before
`run`, so that `--help` is fast. Code of several commands is in `shared`.
"""
