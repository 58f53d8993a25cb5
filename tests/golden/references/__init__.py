"""The one table: official file and class -> how ours does the same."""

from tests.golden.references import (
  actionformer,
  atm,
  atm_networks,
  blvnet,
  bmn,
  ila,
  resnet3d,
  shift,
  tada,
  tada_networks,
  tadaformer,
  xvit,
)

REFERENCES = {
  **actionformer.REFERENCES,
  **atm.REFERENCES,
  **atm_networks.REFERENCES,
  **blvnet.REFERENCES,
  **bmn.REFERENCES,
  **ila.REFERENCES,
  **resnet3d.REFERENCES,
  **shift.REFERENCES,
  **tada.REFERENCES,
  **tada_networks.REFERENCES,
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
