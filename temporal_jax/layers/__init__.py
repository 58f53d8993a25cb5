"""Linen modules: parameters and one call into `temporal_jax.ops`."""

from temporal_jax.layers.aggregation import TemporalAggregation
from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.convolution import Conv2D
from temporal_jax.layers.shift import TemporalShift

__all__ = ["BatchNorm", "Conv2D", "TemporalAggregation", "TemporalShift"]
