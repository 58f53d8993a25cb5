"""Names of tensors in each repository, one module per repository.

A module declares its formats in `FORMATS`; `convert_weights.registry` finds the
modules.
"""
