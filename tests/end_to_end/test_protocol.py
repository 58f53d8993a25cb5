"""A run tested by several views, and what its workdir is used for after."""

import dataclasses
import json

import numpy as np

from temporal_jax import data, evaluation, inference
from temporal_jax.data.views.read_views import read_views

FLAGS = (
  "num_steps=2",
  "optim.warmup_steps=0",
  "eval_every=0",
  "data.short_side=16",
  "eval.num_clips=2",
  "eval.num_crops=3",
  "eval.crop_rule=halves",
  "eval.fusion=logits",
  "eval.sampling=rounded_segments('inside')",
)


def test_the_workdir_gives_the_scores_of_its_report(run, video_folder, tmp_path):
  status, out, err = run(tmp_path, f"data.root={video_folder}", *FLAGS)
  assert status == 0, err
  assert "4 clips scored, 4 decoded, 4 listed" in out
  saved = inference.load_model(tmp_path)
  assert saved.class_names == ("fall", "rise")
  protocol = saved.protocol
  assert (protocol.num_views, protocol.fusion) == (6, "logits")
  as_json = json.loads(json.dumps(dataclasses.asdict(protocol)))
  assert json.loads((tmp_path / "report.json").read_text())["protocol"] == as_json
  scores = evaluation.load_scores(tmp_path / "scores.npz")
  assert scores.protocol == as_json
  assert scores.class_names == saved.class_names
  predictions = scores.predictions
  assert predictions.views.shape == (4, 6, 2)
  classifier = inference.Classifier(saved, batch_size=4)
  for name, views, want in zip(
    predictions.ids, predictions.views, predictions.scores, strict=True
  ):
    with data.open_reader(name) as reader:
      got = classifier(read_views(reader, protocol, fps=reader.fps))
    np.testing.assert_allclose(got, views, rtol=1e-4, atol=1e-6)
    (fused,) = evaluation.average_views(got[None], fusion="logits")
    np.testing.assert_allclose(fused, want, rtol=1e-4, atol=1e-6)
  assert classifier.compilations == 1
