"""Rules of IBM/bLVNet-TAM."""

from convert_weights.rules import Rule


def aggregation(taps: int) -> list[Rule]:
  """Rules of `TemporalAggregation` of `taps` frames; three have own names."""
  names = [f"blending_layers.{k}.weight" for k in range(taps)]
  if taps == 3:
    names = ["prev.weight", "curr.weight", "next.weight"]
  pattern = "k c 1 1 1 -> k c" if taps > 1 else "c 1 1 1 -> 1 c"
  return [Rule("params/kernel", tuple(names), pattern)]
