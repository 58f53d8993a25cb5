import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend import core

from temporal_jax import inference
from temporal_jax.inference.export import onnx
from temporal_jax.inference.export.program import Program
from tests.support import exported_networks

pytest.importorskip("onnxruntime")


def test_runs_in_onnxruntime_for_batches_of_any_size(tmp_path, monkeypatch):
  classes = {"verb": ["a", "b", "c"], "noun": ["d", "e"]}
  numbers = {task: len(names) for task, names in classes.items()}
  saved = exported_networks.load(
    tmp_path / "model", "aggregation", num_classes=numbers, class_names=classes
  )
  inference.export_model(tmp_path / "model", tmp_path / "out", format="onnx")
  monkeypatch.chdir(tmp_path / "out")
  (lines,) = re.findall(
    r"```python\n(.*?)```", pathlib.Path("README.md").read_text(), re.DOTALL
  )
  shown = {}
  exec(lines, shown)
  (given,) = shown["session"].get_inputs()
  assert (given.name, given.type) == ("clips", "tensor(uint8)")
  clips = exported_networks.make_clips(3)
  want = inference.Classifier(saved, batch_size=3)(clips)
  for number in (1, 3):
    for task, probabilities in want.items():
      (got,) = shown["session"].run([task], {"clips": clips[:number]})
      np.testing.assert_allclose(got, probabilities[:number], atol=1e-6)
  blank = inference.Classifier(saved, batch_size=3)(shown["clips"])
  for task, got in zip(("noun", "verb"), shown["results"], strict=True):
    np.testing.assert_allclose(got, blank[task], atol=1e-6)
  assert np.ptp(want["verb"], axis=0).max() > 1e-3  # Clips differ.


def test_says_what_cannot_be_written():
  unknown = core.Primitive("unheard_of")
  unknown.def_abstract_eval(lambda x: x)
  shape = jax.ShapeDtypeStruct((2,), jnp.float32)
  traced = jax.jit(unknown.bind).trace(shape)
  program = Program(unknown.bind, shape, traced.out_info, traced.jaxpr)
  with pytest.raises(ValueError, match=r"a step of net cannot .* 'unheard_of'"):
    onnx.to_onnx(program, "net")
