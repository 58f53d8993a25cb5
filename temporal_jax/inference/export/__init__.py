"""Networks as files for those who only use them."""

from temporal_jax.inference.export.export_model import (
  DTYPES,
  FORMATS,
  PLATFORMS,
  export_model,
)

__all__ = ["DTYPES", "FORMATS", "PLATFORMS", "export_model"]
