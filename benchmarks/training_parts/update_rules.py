"""Settings of the update of parameters, the same in both libraries."""

from types import MappingProxyType

# So low that the loss of the same clips does not vanish during the timing.
RATES = MappingProxyType({"sgd": 1e-3, "adamw": 1e-5})
DECAY, MOMENTUM = 0.05, 0.9
