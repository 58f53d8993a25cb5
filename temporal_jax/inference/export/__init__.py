"""Exports networks as StableHLO or ONNX, with a model card."""

from temporal_jax.inference.export.export_model import (
  DTYPES as DTYPES,
  FORMATS as FORMATS,
  PLATFORMS as PLATFORMS,
  export_model as export_model,
)
