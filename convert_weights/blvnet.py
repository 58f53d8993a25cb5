"""Rules of IBM/bLVNet-TAM."""

from convert_weights.rules import Rule, batch_norm, conv2d, under


def aggregation(taps: int = 3) -> list[Rule]:
  """Rules of `TemporalAggregation` of `taps` frames; three have own names."""
  names = [f"blending_layers.{k}.weight" for k in range(taps)]
  if taps == 3:
    names = ["prev.weight", "curr.weight", "next.weight"]
  pattern = "k c 1 1 1 -> k c" if taps > 1 else "c 1 1 1 -> 1 c"
  return [Rule("params/kernel", tuple(names), pattern)]


def bottleneck(taps: int = 3, *, pooled: bool = False) -> list[Rule]:
  """Rules of a bottleneck; a pooled shortcut counts its pool."""
  first = 1 if pooled else 0
  return [
    *(r for i in (1, 2, 3) for r in conv2d(f"conv{i}", f"conv{i}")),
    *(r for i in (1, 2, 3) for r in batch_norm(f"norm{i}", f"bn{i}")),
    *conv2d("shortcut_conv", f"downsample.{first}"),
    *batch_norm("shortcut_norm", f"downsample.{first + 1}"),
    *under(aggregation(taps), "branch_input", "tam"),
  ]


def big_little_module(taps: int = 3) -> list[Rule]:
  """Rules of a big-little module."""
  return [
    *under(bottleneck(pooled=True), "big1", "big.0"),
    *under(bottleneck(), "big{i}", "big.{i-1}"),
    *under(bottleneck(), "little{i}", "little.{i-1}"),
    *conv2d("little_conv", "little_e.0"),
    *batch_norm("little_norm", "little_e.1"),
    *under(bottleneck(), "fusion", "fusion.0"),
    *under(aggregation(taps), "branch_input", "tam"),
  ]
