"""The one table: official file and class -> how ours does the same."""

from tests.golden.references import shift

REFERENCES = {
  **shift.REFERENCES,
}
# Code that no published model uses.
NOT_CARRIED = frozenset(
  {
    ("models/mat.py", "TemporalCrossAttention"),
    ("modules/ATM.py", "Conv1D_UV2C"),
  }
)
