"""Scores the test videos of a run, during training and at its end."""

import collections
import dataclasses
import pathlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grain
import jax

from temporal_jax import data, evaluation
from temporal_jax.experiment.run_kind import FinalTest
from temporal_jax.training.state import Tree


@dataclasses.dataclass(frozen=True)
class ClipScoring:
  """Scores the test videos of a run; see `run_kind.Scoring`.

  Attributes:
    videos: The run's videos.
    eval_step: Function from variables and clips to class probabilities.
    place: Puts a host batch on the devices.
    protocol: Views that are scored in the end.
  """

  videos: data.Videos
  eval_step: Callable
  place: Callable
  protocol: data.EvalProtocol

  def quick(self, variables: Tree, say: Callable[[str], None]) -> dict[str, float]:
    """Returns the accuracies over single views of the videos."""
    predictions = self._predict(variables, self.videos.eval_batches)
    listed = self.videos.num_test
    decoded = listed - len(self._bad_videos())
    words = evaluation.coverage(len(predictions.ids), decoded, listed)
    say(f"test: {words}.")
    return evaluation.accuracies(predictions)

  def final(self, variables: Tree) -> FinalTest:
    """Scores all views."""
    began = time.perf_counter()
    predictions = self._predict(variables, self.videos.test_batches)
    summary = evaluation.summarize(
      predictions,
      self.videos.class_names,
      listed=self.videos.num_test,
      bad_videos=self._bad_videos(),
      protocol=dataclasses.asdict(self.protocol),
      seconds=time.perf_counter() - began,
      groups=data.groups_of(self.videos.sources["test"]),
    )

    def write(workdir: pathlib.Path, rows: Sequence[Mapping[str, Any]]) -> None:
      evaluation.write_report(
        workdir,
        summary,
        rows=rows,
        sample=next(iter(self.videos.eval_batches)),
        predictions=predictions,
      )

    values = evaluation.accuracies(predictions)
    return FinalTest(values, evaluation.headline(summary), write)

  def _predict(
    self, variables: Tree, batches: grain.IterDataset
  ) -> evaluation.Predictions:
    def score(clip: jax.Array) -> Any:
      return self.eval_step(variables, clip)

    names = self.videos.class_names
    return evaluation.evaluate(
      score,
      batches,
      self.place,
      tasks=tuple(names) if isinstance(names, Mapping) else (),
      fusion=self.protocol.fusion,
    )

  def _bad_videos(self) -> Mapping[str, str]:
    """Returns the reason for each test video that could not be read."""
    return collections.ChainMap(*evaluation.gather_json(self.videos.bad_test.reasons()))
