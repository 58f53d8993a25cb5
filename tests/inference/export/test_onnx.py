import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend import core

from temporal_jax.inference.export import onnx
from temporal_jax.inference.export.program import Program, trace_network
from tests.inference.export import networks

onnxruntime = pytest.importorskip("onnxruntime")


def test_runs_in_onnxruntime_for_batches_of_any_size(tmp_path):
  saved = networks.load(
    tmp_path / "model",
    "aggregation",
    num_classes={"verb": 3, "noun": 2},
    class_names={"verb": ["a", "b", "c"], "noun": ["d", "e"]},
  )
  program = trace_network(saved)
  content = onnx.to_onnx(program, saved.name)
  session = onnxruntime.InferenceSession(content)
  (given,) = session.get_inputs()
  assert (given.name, given.type) == ("clips", "tensor(uint8)")
  clips = networks.make_clips(3)
  want = program.function(clips)
  for number in (1, 3):
    got = onnx.run_onnx(content, clips[:number])
    assert got.keys() == want.keys() == {"verb", "noun"}
    for task, probabilities in got.items():
      np.testing.assert_allclose(probabilities, want[task][:number], atol=1e-6)
  assert np.ptp(want["verb"], axis=0).max() > 1e-3  # Clips differ.


def test_says_what_cannot_be_written():
  unknown = core.Primitive("unheard_of")
  unknown.def_abstract_eval(lambda x: x)
  shape = jax.ShapeDtypeStruct((2,), jnp.float32)
  traced = jax.jit(unknown.bind).trace(shape)
  program = Program(unknown.bind, shape, traced.out_info, traced.jaxpr)
  with pytest.raises(ValueError, match=r"a step of net cannot .* 'unheard_of'"):
    onnx.to_onnx(program, "net")
