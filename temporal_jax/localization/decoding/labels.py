"""Labels of segments from scores of classes."""

import numpy as np


def best_pairs(
  verbs: np.ndarray,
  nouns: np.ndarray,
  *,
  num_verbs: int = 10,
  num_nouns: int = 30,
  num_pairs: int = 5,
) -> tuple[np.ndarray, np.ndarray]:
  """Returns the most probable pairs of a verb and a noun of each segment.

  Args:
    verbs: Probabilities of the verbs, (N, V).
    nouns: Probabilities of the nouns, (N, M).
    num_verbs: Most probable verbs that pairs are made of.
    num_nouns: Most probable nouns, likewise.
    num_pairs: Pairs of a segment.

  Returns:
    Verb and noun of each pair, the best first, integers (N, K, 2), and the
    products of their probabilities, (N, K).

  Source: function `fuse_verb_noun_map` in utils/tal_tools.py of
    alibaba-mmai-research/TAdaConv.
  """
  verb, noun = _best(verbs, num_verbs), _best(nouns, num_nouns)
  products = (
    np.take_along_axis(verbs, verb, 1)[:, :, None]
    * np.take_along_axis(nouns, noun, 1)[:, None]
  )
  flat = products.reshape(len(products), -1)
  pair = _best(flat, num_pairs)
  first, second = np.divmod(pair, noun.shape[1])
  labels = [np.take_along_axis(verb, first, 1), np.take_along_axis(noun, second, 1)]
  return np.stack(labels, axis=-1), np.take_along_axis(flat, pair, 1)


def label_by_video(
  segments: np.ndarray,
  scores: np.ndarray,
  video: np.ndarray,
  *,
  num_labels: int = 1,
  power: float = 1.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Gives all segments of a film the classes of the film.

  Args:
    segments: Start and end, (N, 2).
    scores: Score of each, (N,).
    video: Score of each class for the whole film, (L,).
    num_labels: Most probable classes that each segment gets.
    power: Exponent of the product of both scores; 1/2 is their geometric mean.

  Returns:
    Segments (N K, 2), their scores and their labels (N K,): all segments with
    the best class, then with the next.
  """
  labels = _best(video[None], num_labels)[0]
  fused = (video[labels][:, None] * scores) ** power
  return (
    np.tile(segments, (len(labels), 1)),
    fused.ravel(),
    np.repeat(labels, len(segments)),
  )


def _best(scores: np.ndarray, count: int) -> np.ndarray:
  """Returns the places of the highest scores of each row, the highest first."""
  return np.argsort(-scores, axis=1, kind="stable")[:, :count]
