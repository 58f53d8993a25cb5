"""A run that trains the head of a frozen network, on inputs computed once."""

from temporal_jax.experiment.probe_run.refusals import check_probe as check_probe
from temporal_jax.experiment.probe_run.run import run_probe as run_probe
