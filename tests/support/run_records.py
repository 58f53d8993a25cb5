"""Records of short runs, as training writes them."""

import json
import shutil

from temporal_jax.saved_networks import bundled

CONFIG = {
  "task": "classification",
  "num_steps": 40,
  "optim": {"lr": 0.1, "betas": [0.9, 0.99]},
  "model": {"temporal": "none"},
}


def write_run(folder, best=0.5, config=CONFIG, measure="top1"):
  """Writes the records of a run of 40 steps, its best test after 20."""
  folder.mkdir(parents=True)
  rows = [
    {"step": step, "loss": 4 / step, "accuracy": step / 80} for step in (10, 20, 30, 40)
  ]
  rows[1][f"test/{measure}"] = best
  rows[3][f"test/{measure}"] = best - 0.1
  rows.append({"step": 40, f"final/{measure}": best + 0.2})
  timing = [{"step": 20, "seconds_per_step": 2.0}, {"step": 40, "seconds_per_step": 1}]
  for name, lines in (("metrics", rows), ("timing", timing)):
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (folder / f"{name}.jsonl").write_text(text)
  (folder / "config.json").write_text(json.dumps(config))
  shutil.copy(bundled.find("camera_motion") / "model.json", folder)
  return folder
