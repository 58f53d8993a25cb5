import numpy as np
import pytest

from temporal_jax.evaluation import Predictions, find_mistakes

SCORES = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]], np.float32)
IDS = ("a", "b", "c", "d")


@pytest.mark.parametrize(
  ("labels", "want"),
  [
    ([0, 1, 1, 0], []),
    ([1, 1, 0, 1], [0, 3, 2]),
    # The best class of a clip need only be one of its classes.
    ([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0]], [1, 2]),
  ],
)
def test_the_surest_mistakes_are_first(labels, want):
  found = find_mistakes(Predictions(IDS, np.array(labels), SCORES))
  assert found.tolist() == want


def test_of_tasks_one_wrong_is_a_mistake():
  scores = {"verb": SCORES, "noun": SCORES[::-1]}
  labels = np.array([[0, 0], [1, 0], [1, 1], [1, 0]])
  found = find_mistakes(Predictions(IDS, labels, scores))
  assert found.tolist() == [3, 1]  # 0.7 * 0.9 and 0.8 * 0.6.


def test_labels_are_needed():
  with pytest.raises(ValueError, match="not published"):
    find_mistakes(Predictions(IDS, None, SCORES))
