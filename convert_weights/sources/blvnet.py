"""Rules of IBM/bLVNet-TAM."""

from convert_weights.rules import Rule, batch_norm, conv2d, linear, under


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


def big_little_net(taps: int = 3, *, tensor: str, head: str) -> list[Rule]:
  """Rules of a `BigLittleNet`.

  Args:
    taps: Frames of the aggregation.
    tensor: What the source's names of the backbone begin with: "" for a
      bLResNet, "baseline_model" for a bLVNet.
    head: Name of the source's classifier: "fc" for a bLResNet, "new_fc" for a
      bLVNet trained with dropout, "baseline_model.fc" for one without.
  """
  stem = (
    ("", "conv1", "bn1"),
    ("big_", "b_conv0", "bn_b0"),
    ("little1_", "l_conv0", "bn_l0"),
    ("little2_", "l_conv1", "bn_l1"),
    ("little3_", "l_conv2", "bn_l2"),
    ("fusion_", "bl_init", "bn_bl_init"),
  )
  backbone = [
    *(r for name, conv, _ in stem for r in conv2d(f"stem/{name}conv", conv)),
    *(r for name, _, n in stem for r in batch_norm(f"stem/{name}norm", n)),
    *under(aggregation(taps), "stem/branch_input", "tam"),
    *under(bottleneck(taps, pooled=True), "stage4_block1", "layer4.0"),
    *under(bottleneck(taps), "stage4_block{i}", "layer4.{i-1}"),
    *under(big_little_module(taps), "stage{s}", "layer{s}"),
  ]
  return [*under(backbone, "", tensor), *linear("head", head)]
