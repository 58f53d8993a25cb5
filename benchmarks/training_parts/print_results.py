"""The tables that benchmarks.training prints."""

from typing import Any

STEPS = (
  f"{'':22}{'':9}{'a step, ms':>27}{'clips/s':>9}{'compile':>9}{'peak':>8}"
  f"{'convolutions, forward':>27}{'gradients':>27}\n"
  f"{'':22}{'':9}{'ours':>9}{'torch':>9}{'ratio':>9}{'ours':>9}{'s':>9}"
  f"{'GiB':>8}" + 2 * f"{'ours':>9}{'torch':>9}{'ratio':>9}"
)
INPUT = (
  f"{'videos':24}{'clip':20}{'threads':>8}{'clips/s, ours':>15}"
  f"{'bare':>9}{'ratio':>8}{'DataLoader':>12}{'ratio':>8}"
)


def step(result: dict[str, Any]) -> str:
  """Returns the row of what `train_steps.measure` found."""
  start = f"{result['name']:22}{result['dtype']:9}"
  if "error" in result:
    return f"{start}failed: {result['error']}"
  words = [start, _times(result["step"])]
  words.append(f"{result['clips_per_second']['ours']:9.2f}")
  words.append(f"{result['compile_seconds']:9.1f}")
  words.append(f"{result['peak_bytes'] / 2**30:8.2f}")
  if result["convolutions"]:
    for kind in ("forward", "gradients"):
      words.append(_times(result["convolutions"][kind]))
  if result["flops_utilization"]:
    words.append(f"  MFU {result['flops_utilization']:.0%}")
  return "".join(words)


def run(result: dict[str, Any]) -> str:
  """Returns the lines of what `train_run.measure` found."""
  if "error" in result:
    return f"run failed: {result['error']}"
  return (
    f"{result['config']}: {result['steps']} steps in "
    f"{result['seconds']:.0f} s, the first after "
    f"{result['first_step_seconds']:.1f} s\n"
    f"  {result['clips_per_second']:.1f} clips/s, "
    f"{result['data_wait']:.1%} of the time waiting for data, "
    f"{result['peak_bytes'] / 2**30:.2f} GiB resident"
  )


def clips(result: dict[str, Any]) -> str:
  """Returns the row of what `train_input.measure` found."""
  speed = result["clips_per_second"]
  shape = " x ".join(map(str, result["clip"]))
  return (
    f"{result['videos']:24}{shape:20}{result['threads']:8}"
    f"{speed['ours']:15.1f}{speed['theirs']:9.1f}{result['ratio']:7.2f}x"
    f"{speed['loader']:12.1f}{result['loader_ratio']:7.2f}x"
  )


def _times(times: dict[str, float]) -> str:
  return f"{times['ours']:9.1f}{times['theirs']:9.1f}{times['ratio']:8.2f}x"
