"""Scores of detections in plain loops, from their definitions."""

import math


def overlap(a, b):
  inter = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
  union = (a[1] - a[0]) + (b[1] - b[0]) - inter
  return inter / union if union > 0 else 0.0


def average_precision(truth, detections, label, threshold):
  """AP of a class. truth: film -> [(segment, label)], detections: + score."""
  ranked = [
    (score, film, segment)
    for film in truth
    for segment, of, score in detections.get(film, [])
    if of == label
  ]
  ranked.sort(key=lambda one: -one[0])
  taken, hits = set(), []
  for _, film, segment in ranked:
    best, winner = -1.0, None
    for number, (true, of) in enumerate(truth[film]):
      value = overlap(segment, true)
      free = of == label and (film, number) not in taken
      if free and value >= threshold and value > best:
        best, winner = value, (film, number)
    hits.append(winner is not None)
    taken.add(winner)
  positives = sum(of == label for film in truth for _, of in truth[film])
  recall = [0.0]
  precision = [0.0]
  for place in range(len(hits)):
    right = sum(hits[: place + 1])
    recall.append(right / positives)
    precision.append(right / (place + 1))
  area = 0.0
  for place in range(1, len(recall)):
    area += (recall[place] - recall[place - 1]) * max(precision[place:])
  return area


def mean_average_precision(truth, detections, threshold):
  labels = {of for film in truth for _, of in truth[film]}
  values = [average_precision(truth, detections, of, threshold) for of in labels]
  return sum(values) / len(values) if values else math.nan


def recall(truth, proposals, threshold, most):
  """Recall with 1, ..., `most` proposals per film, on average."""
  films = [film for film in truth if truth[film]]
  ranked = {
    film: [s for s, _, _ in sorted(proposals.get(film, []), key=lambda p: -p[2])]
    for film in films
  }
  total = sum(map(len, ranked.values()))
  ratio = most * len(films) / total if total else 0.0
  for film in films:
    ranked[film] = ranked[film][: int(len(ranked[film]) * ratio)]
  kept = sum(map(len, ranked.values()))
  values = []
  for number in range(1, most + 1):
    found = true_ones = 0
    for film in films:
      share = number / most * (most * len(films) / kept) if kept else 0.0
      some = ranked[film][: int(len(ranked[film]) * share)]
      for true, _ in truth[film]:
        true_ones += 1
        found += any(overlap(true, segment) >= threshold for segment in some)
    values.append(found / true_ones if true_ones else math.nan)
  return values


def draw(rng, *, tasks=0, films=5, truths=4, found=12, classes=4):
  """Draws films with ties, duplicates, empty films, classes without truth.

  Returns:
    Film -> [(segment, label)] and film -> [(segment, label, score)].
  """

  # From few values, so that times, overlaps and scores are equal by chance.
  def segment():
    start = int(rng.integers(0, 12))
    return (start / 2, (start + int(rng.integers(0, 7))) / 2)

  def label(count):
    if tasks:
      return tuple(int(rng.integers(count)) for _ in range(tasks))
    return int(rng.integers(count))

  truth, detections = {}, {}
  for number in range(int(rng.integers(1, films + 1))):
    name = f"film {number}"
    count = int(rng.integers(0, truths + 1))
    truth[name] = [(segment(), label(classes - 1)) for _ in range(count)]
    truth[name] += truth[name][: int(rng.integers(0, 2))]
    if rng.random() < 0.15:
      continue
    detections[name] = [
      (segment(), label(classes), int(rng.integers(0, 6)) / 5)
      for _ in range(int(rng.integers(0, found + 1)))
    ]
    near = [(s, of, 0.5) for s, of in truth[name] if rng.random() < 0.5]
    detections[name] += near + near[:1]
  return truth, detections
