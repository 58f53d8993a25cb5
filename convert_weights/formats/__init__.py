"""How the tensors of each repository are named, one module per repository.

A module declares its formats in `FORMATS`; `convert_weights.registry` finds the
modules.
"""
