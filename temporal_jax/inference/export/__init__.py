"""Networks as files for those who only use them."""

from temporal_jax.inference.export.export_model import (
  DTYPES as DTYPES,
  FORMATS as FORMATS,
  PLATFORMS as PLATFORMS,
  export_model as export_model,
)
