"""The commands of `temporal-jax`, a module each.

A module's docstring begins with what the command does; `add_arguments(parser)`
says what it takes, and `run(options) -> int` runs it and returns the exit code.
Only Python's own modules are imported before `run`, so that help comes at once.
"""
