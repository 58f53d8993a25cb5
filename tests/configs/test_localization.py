"""The papers' runs that find segments: their values."""

import importlib
import shlex

import jax
import pytest

from temporal_jax.experiment.duration import duration
from temporal_jax.experiment.film_run.settings import FilmSettings
from temporal_jax.experiment.optimizer import schedule

PAPERS = {
  name: importlib.import_module(f"temporal_jax.configs.localization.{name}")
  for name in ("actionformer", "bmn")
}
NAMES = [f"{paper}:{run}" for paper, module in PAPERS.items() for run in module.RUNS]
# As published: batch, learning rate, epochs and those of the warm-up, weight
# decay, greatest norm of the gradient, decay of the averages, smoothing, least
# share of a segment, first normalizer.
VALUES = {
  "actionformer:thumos14": (2, 1e-4, 35, 5, 0.05, 1, 0.999, 0, 0.5, 100),
  "actionformer:verb_ek100": (2, 1e-4, 21, 5, 0.05, 1, 0.999, 0, 0.3, 250),
  "actionformer:noun_ek100": (2, 1e-4, 21, 5, 0.05, 1, 0.999, 0.1, 0.3, 250),
  "actionformer:anet": (16, 1e-3, 15, 5, 0.05, 1, 0.999, 0.1, 0.5, 200),
  "actionformer:hacs": (16, 1e-3, 15, 5, 0.05, 1, 0.999, 0.1, 0.5, 200),
  "bmn:anet": (16, 1e-3, 9, 0, 1e-4, 40, 0, 0, 0.5, 100),
  "bmn:hacs": (16, 2e-3, 10, 1, 1e-4, 0, 0, 0, 0.5, 100),
  "bmn:ek100": (16, 2e-3, 10, 1, 1e-4, 0, 0, 0, 0.5, 100),
}
# Least and greatest intersection over union, and their number.
THRESHOLDS = {"thumos14": (0.3, 0.7, 5), "ek100": (0.1, 0.5, 5)}


def _config(name):
  paper, _, run = name.partition(":")
  return PAPERS[paper].get_config(run)


@pytest.mark.parametrize("name", NAMES)
def test_has_the_values_of_its_paper(name):
  config = _config(name)
  optim, loss = config.optim, config.loss
  assert VALUES[name] == (
    config.batch_size,
    optim.lr,
    config.num_epochs,
    optim.warmup_epochs,
    optim.weight_decay,
    optim.clip_norm,
    optim.ema_decay,
    loss.label_smoothing,
    config.data.segment_share,
    loss.normalizer,
  )
  wanted = THRESHOLDS.get(name.rpartition("_")[2].rpartition(":")[2], (0.5, 0.95, 10))
  found = config.eval.thresholds
  assert (found[0], found[-1], len(found)) == wanted
  assert loss.offset_weight == (
    2 if name in ("actionformer:anet", "actionformer:hacs") else 1
  )


@pytest.mark.parametrize("name", NAMES)
def test_is_locked_and_builds_its_settings(name):
  config = _config(name)
  assert config.is_locked
  config.to_json()
  settings = FilmSettings.from_config(config, jax.devices()[:1])
  classes = config.data.num_classes
  assert classes == {"thumos14": 20, "verb_ek100": 97, "noun_ek100": 300}.get(
    name.rpartition(":")[2], 1
  )
  settings.network(classes)


def test_actionformer_warms_up_and_falls_to_almost_nothing():
  config = _config("actionformer:thumos14")
  length = duration(config, num_videos=200)
  rate = schedule(config, length)
  assert length.num_steps == 3500
  assert float(rate(0)) == 0
  assert float(rate(500)) == pytest.approx(1e-4)
  assert float(rate(3500)) == pytest.approx(1e-8)


@pytest.mark.parametrize("paper", PAPERS)
def test_opens_with_its_command_and_what_it_follows(paper):
  text = PAPERS[paper].__doc__
  command = text.replace("\\\n", " ").split("\n\n")[1]
  python, script, config, workdir, *data = shlex.split(command)
  assert (python, script) == ("python", "train.py")
  run = config.removeprefix(f"--config=configs/localization/{paper}.py:")
  assert run in PAPERS[paper].RUNS
  assert workdir == f"--workdir=runs/{paper}_{run}"
  assert data == ["--config.data.root=ANNOTATIONS", "--config.data.features=FEATURES"]
  assert "\n\nFollows" in text
