"""The one table: official file and class -> how ours does the same."""

from tests.golden.references import (
  atm,
  blvnet,
  ila,
  shift,
  tada,
  tadaformer,
  xvit,
)

REFERENCES = {
  **atm.REFERENCES,
  **blvnet.REFERENCES,
  **ila.REFERENCES,
  **shift.REFERENCES,
  **tada.REFERENCES,
  **tadaformer.REFERENCES,
  **xvit.REFERENCES,
}
# Code that no published model uses.
NOT_CARRIED = frozenset(
  {
    ("models/mat.py", "TemporalCrossAttention"),
    ("modules/ATM.py", "Conv1D_UV2C"),
  }
)
