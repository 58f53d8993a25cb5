"""Every family of networks in every format; minutes."""

import numpy as np
import pytest

from temporal_jax import inference
from temporal_jax.inference.export import onnx, stablehlo
from temporal_jax.inference.export.program import trace_network
from tests.support import exported_networks

pytest.importorskip("onnxruntime")


@pytest.mark.slow  # Each is compiled three times.
@pytest.mark.parametrize("family", exported_networks.FAMILIES)
def test_gives_the_same_for_batches_of_any_size(family, tmp_path):
  saved = exported_networks.load(tmp_path / "model", family)
  program = trace_network(saved)
  assert not isinstance(program.clips.shape[0], int)
  clips = exported_networks.make_clips(3)
  want = inference.Classifier(saved, batch_size=3)(clips)
  content = stablehlo.to_stablehlo(program, ("cpu", "cuda", "tpu"))
  for number in (1, 3):
    got = stablehlo.run_stablehlo(content, clips[:number])
    np.testing.assert_allclose(got, want[:number], atol=1e-5)
  if family == "ata":  # ONNX has no search for the best assignment.
    with pytest.raises(ValueError, match="cannot be written as ONNX"):
      onnx.to_onnx(program, saved.name)
    return
  content = onnx.to_onnx(program, saved.name)
  for number in (1, 3):
    got = onnx.run_onnx(content, clips[:number])
    np.testing.assert_allclose(got, want[:number], atol=1e-5)
