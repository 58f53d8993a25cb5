"""The table that benchmarks.networks prints."""

from typing import Any

HEADER = (
  f"{'':31}{'inference ms':>25}{'folded':>16}{'training ms':>26}"
  f"{'compile s':>14}{'difference':>18}{'share':>7}\n"
  f"{'':31}{'ours':>8}{'torch':>9}{'ratio':>8}{'ours':>8}{'ratio':>8}"
  f"{'ours':>9}{'torch':>9}{'ratio':>8}{'inf.':>7}{'train':>7}"
  f"{'output':>9}{'grads':>9}"
)


def line(result: dict[str, Any]) -> str:
  """Returns the row of what `models.measure` or `compile_only` found."""
  start = f"{result['name']:22}{result['dtype']:9}"
  if "error" in result:
    return f"{start}failed: {result['error']}"
  compiling = result["compile_seconds"]
  if "training" not in result:
    return f"{start}{compiling['inference']:8.1f} s to compile"
  inference, training = result["inference"], result["training"]
  folded = f"{'':16}"
  if result["folded"]:
    of = result["folded"]
    folded = f"{of['ours']:8.1f}{of['ratio']:7.2f}x"
  step, step_compiling, gradients = f"{'':26}", f"{'':7}", f"{'':9}"
  if training:
    step = f"{training['ours']:9.1f}{training['theirs']:9.1f}"
    step += f"{training['ratio']:7.2f}x"
    step_compiling = f"{compiling['training']:7.1f}"
    gradients = f"{result['gradient_difference']:9.0e}"
  return (
    f"{start}{inference['ours']:8.1f}{inference['theirs']:9.1f}"
    f"{inference['ratio']:7.2f}x{folded}{step}"
    f"{compiling['inference']:7.1f}{step_compiling}"
    f"{result['difference']:9.0e}{gradients}"
    f"{result['share_of_matmul']:7.0%}"
  )
