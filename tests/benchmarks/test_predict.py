"""The benchmark of predictions: a small network and small videos."""

import pytest

pytest.importorskip("torch")

from benchmarks import predict
from temporal_jax import inference
from temporal_jax.data.views.eval_protocol import EvalProtocol
from tests.support.tiny_predictor import save_tiny


def test_measures_all_three(tmp_path):
  saved = inference.load_model(save_tiny(tmp_path / "model"))
  one = EvalProtocol(num_frames=2, crop_size=16)
  saved = saved._replace(protocol=one)
  found = predict.measure(
    saved, clips=3, turns=1, batch_size=2, videos=2, size=(32, 48)
  )
  rates = found["clips_per_second"]
  assert rates.keys() == {"predictor", "bare", "decoding"}
  assert min(rates.values()) > 0
  assert found["share"] == pytest.approx(rates["predictor"] / rates["bare"])
  assert found["compilations"] == 1
