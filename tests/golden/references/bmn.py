"""BMN of the TAda repository, its head and with its backbone."""

from collections.abc import Mapping, Sequence

import flax.linen as nn
import jax.numpy as jnp

from convert_weights.formats import bmn
from convert_weights.rules import under
from temporal_jax.localization import BMN
from temporal_jax.localization.networks import boundary_matching
from tests.golden.reference import Reference, stateless

_FILE = "tadaconv/models/module_zoo/heads/bmn_head.py"
_TASKS = ("verb", "noun")


class _WithMask(nn.Module):
  """A `BMN`, with the dense mask of its samples among its outputs."""

  network: BMN

  def __call__(self, features):
    network = self.network
    samples = boundary_matching.place_samples(
      network.durations,
      bins=network.bins,
      samples_per_bin=network.samples_per_bin,
      boundary_ratio=network.boundary_ratio,
    )
    mask = boundary_matching.sample_mask(samples, features.shape[1])
    mask = mask.reshape(len(mask), -1)
    return {**network(features), "sample_mask": jnp.asarray(mask)}


def _build(constructor):
  backbone, classes = constructor["backbone"], constructor["num_classes"]
  positions, durations = constructor["tscale"], constructor["dscale"]
  if isinstance(backbone, Mapping):
    backbone.only("groups", 4)  # The base and the heads share it.
    backbone.ignore("in_channels")  # Those of the input.
  constructor.ignore("tscale")  # The positions of the input.
  has_classes = isinstance(classes, Sequence)
  return _WithMask(
    BMN(
      dict(zip(_TASKS, classes, strict=True)) if has_classes else None,
      durations if durations > 0 else positions,
      width=constructor["dim1d"],
      proposal_width=constructor["dim3d"],
      map_width=constructor["dim2d"],
      base_layers=backbone["layers"] if backbone else 0,
      bins=constructor["num_sample"],
      samples_per_bin=constructor["num_sample_perbin"],
      boundary_ratio=constructor["boundary_ratio"],
      regression=constructor["use_regression"],
    )
  )


def _name_outputs(out):
  return {
    "start": out["start"],
    "end": out["end"],
    "confidence_map": out["confidence"],
    "reg_map": out.get("regression"),
    "sample_mask": out["sample_mask"],
    **{f"{task}_map": x for task, x in out.get("classes", {}).items()},
  }


_BMN = Reference(
  build=_build,
  axes={
    "x": "n t c",
    "start": "n t",
    "end": "n t",
    "confidence_map": "n d t of2",
    "reg_map": "n d t of2",
    "verb_map": "n d t verbs",
    "noun_map": "n d t nouns",
    "sample_mask": "t num_sampledt",
  },
  rules=lambda c: under(bmn.network(_build(c).network), "network", ""),
  call=stateless,
  name_outputs=_name_outputs,
)
REFERENCES = {
  (_FILE, "BaseBMN"): _BMN,
  (_FILE, "SimpleLocalizationConv + BaseBMN"): _BMN,
}
