"""Every recipe of configs/: its command, its values, its network."""

import dataclasses
import fnmatch
import importlib
import math
import pathlib
import re
import shlex

import jax
import pytest

from temporal_jax import experiment
from temporal_jax.data.augmentation.recipe import parse
from temporal_jax.experiment.classes import expected_classes
from temporal_jax.training.parameter_names import named

ROOT = pathlib.Path(__file__).parents[2]
PAPERS = {
  name: importlib.import_module(f"temporal_jax.configs.{name}")
  for name in (
    *("atm", "blvnet", "ila", "tada", "timesformer", "towers"),
    *("videomae", "vivit", "vjepa2", "xvit"),
  )
}
NAMES = [f"{paper}:{run}" for paper, module in PAPERS.items() for run in module.RUNS]
FAST = {
  "atm:vit_b16_ssv2",
  "blvnet:tam_50_ssv1",
  "ila:vit_b16_ssv2",
  "tada:former_b16_ssv2",
  "timesformer:b16_k400",
  "videomae:b16_ssv2",
  "vivit:b16_fe_k400",
  "vjepa2:l16_ssv2",
  "towers:siglip2_b16_ssv2",
  "xvit:b16_k400",
}
# Tracing ViT-L takes seconds.
NETWORKS = [
  name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in NAMES
]
MAKER = "convert_weights"
CLASSES = {
  **{"ssv1": (174,), "ssv2": (174,), "k400": (400,), "k600": (600,)},
  **{"k710": (710,), "ek100": (97, 300), "hacs": (200,), "mit": (339,)},
  **{"anet": (200,), "charades": (157,)},
}
# As printed: optimizer, learning rate at a batch, epochs (or steps) and those
# of the warm-up, weight decay, layer decay. The first line that fits counts.
TABLES = [
  ("atm:resnet*_k400", ("sgd", 0.01, 64, 150, 0, 5e-4, 1)),
  ("atm:resnet*", ("sgd", 0.01, 64, 60, 0, 5e-4, 1)),
  ("atm:vit_b16_ssv?", ("adamw", 7e-4, 256, 20, 5, 0.05, 0.7)),
  ("atm:vit_b16_k400", ("adamw", 3e-4, 256, 20, 5, 0.05, 0.65)),
  ("atm:vit_l14_ssv?", ("adamw", 7e-4, 256, 15, 5, 0.05, 0.75)),
  ("atm:vit_l14*", ("adamw", 2e-4, 256, 15, 5, 0.05, 0.7)),
  ("atm:eva_l14_ssv?", ("adamw", 1e-3, 256, 15, 5, 0.05, 0.75)),
  ("atm:eva_l14*", ("adamw", 2e-4, 256, 20, 5, 0.05, 0.7)),
  ("ila:*_k400", ("adamw", 8e-6, 256, 50_000, 5, 0.003, 1)),
  ("ila:*_ssv2", ("adamw", 5e-4, 256, 30_000, 5, 0.01, 1)),
  ("timesformer:*", ("sgd", 0.005, 8, 15, 0, 1e-4, 1)),
  ("videomae:s16_k400", ("adamw", 5e-4, 256, 150, 5, 0.05, 0.75)),
  ("videomae:b16_k400", ("adamw", 5e-4, 256, 75, 5, 0.05, 0.75)),
  ("videomae:l16_k400", ("adamw", 2e-3, 256, 35, 5, 0.05, 0.75)),
  ("videomae:h16_k400", ("adamw", 1e-3, 256, 50, 5, 0.05, 0.75)),
  ("videomae:b16_ssv2", ("adamw", 5e-4, 256, 30, 5, 0.05, 0.75)),
  ("videomae:g14_k400", ("adamw", 1e-3, 256, 30, 5, 0.1, 0.9)),
  ("vivit:b16_fe_k400", ("sgd", 0.05, 64, 30, 2.5, 0, 1)),
  ("vivit:l16_fe_k600", ("sgd", 0.05, 64, 30, 2.5, 0, 1)),
  ("vivit:*", ("sgd", 0.1, 64, 30, 2.5, 0, 1)),
  ("vjepa2:*", ("adamw", 1e-3, 256, 20, 0, 0.1, 1)),
  ("xvit:b16_ssv2", ("sgd", 0.03, 64, 35, 5, 1e-4, 1)),
  ("xvit:b16_ek100", ("sgd", 0.05, 128, 50, 5, 1e-4, 1)),
  ("xvit:b16_k?00", ("sgd", 0.03, 64, 30, 5, 1e-5, 1)),
  ("blvnet:*", ("sgd", 0.01, 0, 50, 0, 5e-4, 1)),
  ("tada:tada2d_hacs", ("adamw", 2e-4, 512, 30, 8, 0.02, 1)),
  ("tada:convnextv2_small_hacs", ("adamw", 2e-4, 512, 30, 8, 0.02, 1)),
  ("tada:former_l14_hacs", ("adamw", 2e-4, 512, 30, 8, 0.05, 0.85)),
  ("tada:tada2d_16x5_k400", ("sgd", 0.12, 64, 100, 8, 1e-4, 1)),
  ("tada:tada2d_16f_ssv2", ("sgd", 0.24, 64, 64, 4, 1e-4, 1)),
  ("tada:convnextv2_*_k710_k400", ("adamw", 5e-4, 512, 30, 4, 0.02, 1)),
  ("tada:convnextv2_*_ssv?", ("adamw", 5e-4, 512, 64, 2.5, 0.02, 1)),
  ("tada:convnextv2_*_ek100", ("adamw", 5e-4, 512, 50, 5, 0.02, 1)),
  ("tada:convnextv2_*", ("adamw", 5e-4, 512, 100, 8, 0.02, 1)),
  ("tada:residual_ssv2", ("adamw", 5e-4, 512, 64, 2.5, 0.02, 1)),
  ("tada:residual_ek100", ("adamw", 5e-4, 512, 50, 5, 0.02, 1)),
  ("tada:residual_k400", ("adamw", 5e-4, 512, 100, 8, 0.02, 1)),
  ("tada:former_b16_*k710", ("adamw", 1e-4, 512, 30, 5, 0.05, 0.7)),
  ("tada:former_l14_*k710", ("adamw", 5e-5, 256, 24, 5, 0.05, 0.8)),
  ("tada:former_b16_k710_k400", ("adamw", 1e-5, 256, 15, 2.5, 0.05, 0.7)),
  ("tada:former_l14_k710_k400", ("adamw", 5e-6, 128, 10, 2, 0.05, 0.8)),
  ("tada:former_b16_*k400", ("adamw", 5e-5, 256, 30, 5, 0.05, 0.7)),
  ("tada:former_l14_*k400", ("adamw", 2e-5, 128, 24, 5, 0.05, 0.85)),
  ("tada:former_b16_ssv?", ("adamw", 5e-4, 256, 24, 5, 0.05, 0.7)),
  ("tada:former_l14_ssv?", ("adamw", 2.5e-4, 128, 24, 5, 0.05, 0.85)),
  ("tada:former_b16_ek100", ("adamw", 2.5e-4, 128, 24, 5, 0.05, 0.7)),
  ("tada:former_l14_ek100", ("adamw", 1e-4, 64, 15, 2.5, 0.05, 0.85)),
  ("towers:*_frozen_k400", ("sgd", 0.04, 1024, 12_500, 0, 0.0, 1)),
  ("towers:*_k400", ("adamw", 5e-5, 256, 30, 5, 0.05, 0.7)),
  ("towers:*_ssv2", ("adamw", 5e-4, 256, 24, 5, 0.05, 0.7)),
  ("tada:*_ssv2", ("sgd", 0.48, 128, 64, 4, 1e-4, 1)),
  ("tada:*_k400", ("sgd", 0.24, 128, 100, 8, 1e-4, 1)),
]
# Frames in training; then in tests clips, crops, pixels of the crop and of a
# frame's shorter side or both sides, and the places of the crops.
PROTOCOLS = [
  ("atm:vit_l14_charades", "whole_segments", (1, 1, 224, 256, "exact")),
  ("atm:vit_l14_anet", "rounded_segments", (1, 1, 224, 256, "exact")),
  ("atm:resnet*_ssv?", "whole_segments", (1, 1, 224, (256, 320), "quarters")),
  ("atm:*_ssv?", "whole_segments", (2, 3, 224, (256, 320), "quarters")),
  ("atm:resnet*_k400", "rounded_segments", (10, 3, 224, 256, "quarters")),
  ("atm:*_336_k400", "rounded_segments", (4, 3, 336, 336, "quarters")),
  ("atm:*_k400", "rounded_segments", (4, 3, 224, 256, "quarters")),
  ("ila:*_336_*", "rounded_segments('inside')", (4, 3, 336, 336, "halves")),
  ("ila:*", "rounded_segments('inside')", (4, 3, 224, 224, "halves")),
  (
    "timesformer:*_ssv2",
    "rounded_segments('inside')",
    (1, 3, 224, 224, "rounded_up"),
  ),
  ("timesformer:b16_448_*", "slowfast_clips(16)", (1, 3, 448, 448, "rounded_up")),
  ("timesformer:b16_96f_*", "slowfast_clips(4)", (1, 3, 224, 224, "rounded_up")),
  ("timesformer:*", "slowfast_clips(32)", (1, 3, 224, 224, "rounded_up")),
  ("videomae:*_ssv2", "mmaction2_segments", (2, 3, 224, 224, "exact")),
  ("videomae:*", "interval(4, fps=0)", (5, 3, 224, 224, "exact")),
  ("vivit:*", "dense(2)", (4, 3, 224, 256, "exact")),
  ("vjepa2:g16_384_ssv2", "interval(2, fps=0)", (2, 3, 384, 384, "exact")),
  ("vjepa2:g16_384_k400", "interval(4, fps=0)", (8, 3, 384, 384, "exact")),
  ("vjepa2:*_ssv2", "interval(4, fps=0)", (2, 3, 256, 256, "exact")),
  ("vjepa2:*_k400", "interval(4, fps=0)", (8, 3, 256, 256, "exact")),
  (
    "xvit:*_ssv2",
    "rounded_segments('borders')",
    (2, 3, 224, 224, "rounded_up"),
  ),
  (
    "xvit:*_ek100",
    "rounded_segments('borders')",
    (1, 3, 224, 224, "rounded_up"),
  ),
  ("xvit:*", "interval(16, single='start')", (1, 3, 224, 224, "rounded_up")),
  ("blvnet:*_flow_*", "equal_segments", (10, 3, 256, 256, "exact")),
  ("blvnet:*_k400", "equal_segments", (3, 3, 256, 256, "exact")),
  ("blvnet:*_mit", "equal_segments", (1, 1, 224, (256, 256), "exact")),
  ("blvnet:*", "equal_segments", (1, 1, 224, 256, "exact")),
  ("tada:former_*_hacs", "interval(8)", (1, 1, 224, 224, "exact")),
  ("tada:*_hacs", "interval(8)", (1, 1, 256, 256, "exact")),
  ("tada:former_*_ek100", "interval(8, fps=60)", (10, 3, 224, 224, "exact")),
  ("tada:*_ek100", "interval(8, fps=60)", (10, 3, 256, 256, "exact")),
  ("tada:former_*_ssv?", "nearest_segments", (2, 3, 224, 224, "exact")),
  ("tada:former_*", "nearest_segments", (4, 3, 224, 224, "exact")),
  ("towers:*_frozen_k400", "nearest_segments", (1, 1, 224, 256, "exact")),
  ("towers:*_k400", "nearest_segments", (4, 3, 224, 224, "exact")),
  ("towers:*_ssv2", "nearest_segments", (2, 3, 224, 224, "exact")),
  ("tada:*_ssv?", "nearest_segments", (2, 3, 256, 256, "exact")),
  ("tada:convnextv2_*", "interval(5)", (4, 3, 256, 256, "exact")),
  ("tada:tada2d_16x5_*", "interval(5)", (10, 3, 256, 256, "exact")),
  ("tada:slowfast_*", "interval(2)", (10, 3, 256, 256, "exact")),
  ("tada:*", "interval(8)", (10, 3, 256, 256, "exact")),
]
# Millions, as the papers print them for the same classes.
PARAMETERS = {
  "blvnet:tam_50_ssv1": 25.0,
  "blvnet:tam_50_ssv2": 25.0,
  "blvnet:tam_101_ssv1": 40.2,
  "blvnet:tam_101_ssv2": 40.2,
  "tada:tada2d_16x5_k400": 27.5,
  "tada:convnextv2_tiny_k400": 45.9,
  "tada:convnextv2_small_k400": 82.2,
  "tada:convnextv2_base_k400": 145.7,
  "tada:former_b16_k400": 104.1,
  "tada:former_l14_k400": 364,
  "tada:slowonly_k400": 35.6,
  "tada:slowfast_4x16_k400": 37.7,
  "tada:slowfast_8x8_k400": 37.7,
  "tada:r2plus1d_k400": 31.2,
  "tada:r2plus1d_1d_k400": 34.4,
  "tada:r3d_k400": 50.1,
}


def _config(name):
  paper, _, run = name.partition(":")
  return PAPERS[paper].get_config(run)


def _settings(config):
  return experiment.RunSettings.from_config(config, jax.devices()[:1])


@pytest.mark.parametrize("paper", PAPERS)
def test_opens_with_its_commands_and_what_it_follows(paper):
  text = PAPERS[paper].__doc__
  commands = text.replace("\\\n", " ").split("\n\n")[1].splitlines()
  convert, *trained = [shlex.split(command) for command in commands]
  weights = [convert[5]]
  assert convert[:3] == ["python", "-m", MAKER]
  for python, script, config, workdir, root, start in trained:
    assert (python, script) == ("python", "train.py")
    run = config.removeprefix(f"--config=configs/{paper}.py:")
    assert _config(f"{paper}:{run}").model.name == convert[3]
    assert (workdir, root) == (
      f"--workdir=runs/{paper}_{run}",
      "--config.data.root=LIST",
    )
    assert start == f"--config.init_from={weights[-1]}"
    weights.append(f"runs/{paper}_{run}")
  assert "\n\nFollows" in text


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("run", ["", "vit_b16", "b16_ssv3", "RUNS"])
def test_another_run_is_refused_with_those_there_are(paper, run):
  words = f"has no run '{run}'" if run else "needs the name of a run"
  with pytest.raises(ValueError, match=f"^{paper} {words}, such as {paper}:") as caught:
    PAPERS[paper].get_config(run)
  some = re.search("such as (.*); ", str(caught.value))[1].split(" or ")
  assert {name.removeprefix(f"{paper}:") for name in some} <= set(PAPERS[paper].RUNS)


def test_every_run_has_one_name():
  assert len(NAMES) > 90
  # As the folders of runs and of converted weights are called.
  assert len({name.replace(":", "_") for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_has_the_values_of_its_table(name):
  config = _config(name)
  optim = config.optim
  want = next(row for pattern, row in TABLES if fnmatch.fnmatch(name, pattern))
  assert want == (
    optim.name,
    optim.lr,
    optim.lr_batch_size,
    config.num_steps or config.num_epochs,
    optim.warmup_epochs,
    optim.weight_decay,
    optim.layer_decay,
  )
  is_other = "ek100" in name or name.startswith("videomae")
  assert config.batch_size == (optim.lr_batch_size or 64) or is_other
  assert optim.clip_norm == name.startswith("vivit")


@pytest.mark.parametrize("name", NAMES)
def test_samples_and_tests_as_published(name):
  config = _config(name)
  test = _settings(config).protocol
  assert (config.data.sampling, _views(test)) == next(
    row[1:] for row in PROTOCOLS if fnmatch.fnmatch(name, row[0])
  )
  assert test.fusion == (
    "logits" if name.startswith(("xvit:", "blvnet:", "timesformer:")) else "softmax"
  )
  whole = name == "atm:vit_l14_charades"  # Trained on the labelled parts.
  assert test.sampling == ("rounded_segments" if whole else config.data.sampling)


@pytest.mark.parametrize(
  ("name", "field", "code", "paper"),
  [
    ("ila:vit_b16_ssv2", "sampling", "rounded_segments('inside')", "fixed_stride"),
    ("xvit:b16_ssv2", "num_clips", 2, 1),
  ],
)
def test_one_flag_is_the_reading_of_the_paper(name, field, code, paper):
  config = _config(name)
  before = _settings(config).protocol
  assert getattr(before, field) == code
  flag = f"{'data' if field == 'sampling' else 'eval'}.{field}"
  assert f"--config.{flag}={paper}" in PAPERS[name.partition(":")[0]].__doc__
  config.update_from_flattened_dict({flag: paper})
  assert _settings(config).protocol == dataclasses.replace(before, **{field: paper})


def _views(test):
  size = test.stretch or test.short_side
  return test.num_clips, test.num_crops, test.crop_size, size, test.crop_rule


@pytest.mark.parametrize("name", NAMES)
def test_is_locked_and_fits_its_data_set(name):
  config = _config(name)
  assert config.is_locked
  config.to_json()
  assert config.data.num_classes == CLASSES[name.split("_")[-1]]
  assert len(config.data.tasks) in (0, len(config.data.num_classes))
  # Only flips that swap take pairs; all of Something-Something must.
  operations = config.data.augment.split("|")
  swaps = "flip" in operations and name.endswith(("ssv1", "ssv2"))
  assert bool(config.data.flip_pairs) == swaps
  assert operations.count("normalize") == 1
  parse(config.data.augment)
  _settings(config)
  assert min(config.data.canvas) >= config.data.image_size


@pytest.mark.parametrize("name", NETWORKS)
def test_whole_state_is_built_and_every_regex_fits(name):
  config = _config(name)
  num_videos = 100 * config.batch_size
  components = experiment.assemble(
    _settings(config), expected_classes(config), num_videos
  )
  parameters = named(components.shapes.params)
  assert components.groups.keys() == parameters.keys()
  optim = config.optim
  if optim.layer_decay != 1:
    assert any(re.fullmatch(r"(visual/)?block\d+/.*", p) for p in parameters)
    depths = {group.lr_factor for group in components.groups.values()}
    assert len(depths) > 12
  if name in PARAMETERS:
    count = sum(math.prod(leaf.shape) for leaf in parameters.values())
    assert count == pytest.approx(1e6 * PARAMETERS[name], rel=0.01)


@pytest.mark.parametrize(
  ("network", "new"),
  [
    ("vit_b32_spatial", "head/kernel"),
    ("vit_b32_joint", "temporal_embedding"),
    ("vit_b32_divided", "block1/attention_branch/out/kernel"),
    ("vit_b32_ata", "block1/attention_branch/out/kernel"),
    ("xclip_b32", "visual/block1/block_input/message/kernel"),
  ],
)
def test_what_is_new_in_the_baselines_of_ila_learns_ten_times_faster(network, new):
  config = PAPERS["ila"].get_config("vit_b32_k400")
  config.model.name = network
  config.model.overrides.depth = 1
  groups = experiment.assemble(_settings(config), 400, 100).groups
  assert groups[new].lr_factor == 10
  tower = "visual/" if network == "xclip_b32" else ""
  assert groups[f"{tower}block1/mlp/expand/kernel"].lr_factor == 1
  assert all(group.frozen == name.startswith("text/") for name, group in groups.items())


def test_probes_of_v_jepa_train_their_pooling_and_classifier():
  config = PAPERS["vjepa2"].get_config("l16_ssv2")
  groups = experiment.assemble(_settings(config), 174, 1000).groups
  trained = {name.split("/")[0] for name, group in groups.items() if not group.frozen}
  assert trained == {"head", "pooling"}
  # Norms and biases decay too, as in the authors' optimizer.
  assert groups["head/bias"].weight_decay == groups["head/kernel"].weight_decay > 0


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("blvnet")])
def test_stages_go_from_short_clips_to_long_ones(name):
  config = _config(name)
  frames = []
  for change in config.stages:
    stage = config.copy_and_resolve_references()
    stage.update_from_flattened_dict(change)
    frames.append(stage.data.num_frames)
    first = len(frames) == 1
    assert stage.num_epochs == (50 if first else 25)
    assert stage.optim.milestones == (() if first else (10, 20))
    rate = 0.01 if first or "ssv" in name else 0.005
    assert stage.optim.lr == rate
  assert frames == [16, 32, 48, 64][: len(frames)]
  assert len(frames) == (4 if "101" in name else 3 if "k400" in name else 2)


def test_the_table_in_docs_has_every_recipe():
  lines = (ROOT / "docs" / "recipes.md").read_text().splitlines()
  rows = [
    [cell.strip(" `") for cell in line.strip("|").split("|")]
    for line in lines
    if line.startswith("| `")
    and ":" in line.split("|")[1]
    and "localization/" not in line  # See test_localization.py.
  ]
  listed = {row[0]: row[1:] for row in rows}
  assert len(listed) == len(rows)
  assert list(listed) == NAMES
  for name in NAMES:
    config = _config(name)
    model, _, frames, *_ = listed[name]
    assert model == config.model.name
    assert frames.split(", ")[0] == str(config.data.num_frames)
