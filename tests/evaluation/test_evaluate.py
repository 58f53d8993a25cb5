import jax
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from temporal_jax import evaluation
from tests.support.simulated_processes import SimulatedProcesses


def _batch(ids, weights):
  count = len(ids)
  return {
    "clip": np.array([len(name) for name in ids]).reshape(-1, 1, 1, 1, 1),
    "label": np.arange(count, dtype=np.int32),
    "weight": np.array(weights, np.float32),
    "id": np.array(ids),
  }


def _place(batch):
  return {"clip": jax.numpy.asarray(batch["clip"], "uint8")}


def _score(clip):
  value = clip.reshape(len(clip), 1).astype("float32")
  return jax.numpy.concatenate([value, 1 - value], 1)


# Two processes, or one, have these clips; "e" and the empty names are bad.
WHOLE = [
  _batch(["a", "bb", "ccc", "dddd"], [1, 1, 1, 1]),
  _batch(["e", "ff", "äöü", ""], [0, 1, 1, 0]),
]


def test_only_real_clips_are_scored_in_the_order_of_the_source():
  got = evaluation.evaluate(_score, WHOLE, _place)
  assert got.ids == ("a", "bb", "ccc", "dddd", "ff", "äöü")
  np.testing.assert_array_equal(got.labels, [0, 1, 2, 3, 1, 2])
  np.testing.assert_array_equal(got.scores[:, 0], [1, 2, 3, 4, 2, 3])
  np.testing.assert_array_equal(got.predicted, [0] * 6)


def test_nothing_to_score_says_so():
  for batches in ([], [_batch(["a"], [0])]):
    with pytest.raises(ValueError, match="no clip to evaluate"):
      evaluation.evaluate(_score, batches, _place)


def test_rows_that_other_devices_hold_are_refused():
  def place(batch):
    return {"clip": _place(batch)["clip"][:2]}

  with pytest.raises(ValueError, match=r"read 4 clips .* devices hold 2"):
    evaluation.evaluate(_score, WHOLE, place)


class _Shards:
  """A process's part of a global array: only `rows`."""

  def __init__(self, values, rows):
    self.shape, self.dtype = values.shape, values.dtype
    # Out of order, as devices may be.
    self.addressable_shards = [
      _Shard((slice(row, row + 1),), values[row : row + 1]) for row in reversed(rows)
    ]

  def __len__(self):
    return self.shape[0]


class _Shard:
  def __init__(self, index, data):
    self.index, self.data = index, data


@pytest.mark.parametrize("replicated", [False, True])
@pytest.mark.parametrize(
  "rows_of", [[(0, 1), (2, 3)], [(1, 3), (0, 2)], [(0, 1, 2, 3)] * 2]
)
def test_every_process_gets_the_predictions_of_one(rows_of, replicated):
  def score(clip):
    value = np.array([1, 2, 3, 4] if clip.batch == 0 else [1, 2, 3, 0])
    scores = np.stack([value, 1 - value], 1).astype(np.float32)
    return _Shards(scores, range(4) if replicated else clip.rows)

  def of_process(index, stack):
    rows = rows_of[index]
    batches = [
      {name: values[list(rows)] for name, values in batch.items()} for batch in WHOLE
    ]
    seen = iter(range(2))

    def place(batch):
      clip = _Shards(np.zeros((4, 1, 1, 1, 3)), rows)
      clip.batch, clip.rows = next(seen), rows
      return {"clip": clip}

    return evaluation.evaluate(score, batches, place, stack=stack)

  want = evaluation.evaluate(_score, WHOLE, _place)
  for got in SimulatedProcesses(2).run(of_process):
    assert got.ids == want.ids
    np.testing.assert_array_equal(got.labels, want.labels)
    np.testing.assert_array_equal(got.scores, want.scores)


def test_scores_that_lie_on_many_devices_are_put_together():
  mesh = Mesh(np.array(jax.devices()[:4]), ("data",))
  spread = NamedSharding(mesh, PartitionSpec("data"))

  def place(batch):
    return {"clip": jax.device_put(_place(batch)["clip"], spread)}

  got = evaluation.evaluate(_score, WHOLE, place)
  np.testing.assert_array_equal(got.scores[:, 0], [1, 2, 3, 4, 2, 3])


def test_tasks_keep_the_order_of_their_labels():
  def score(clip):
    one = _score(clip)
    return {"noun": one, "verb": -one}  # As jit sorts them.

  batch = WHOLE[0] | {"label": np.array([[1, 0]] * 4, np.int32)}
  tasks = ("verb", "noun")
  got = evaluation.evaluate(score, [batch], _place, tasks=tasks)
  assert list(got.scores) == ["verb", "noun"]
  np.testing.assert_array_equal(got.predicted, [[1, 0]] * 4)
  for wrong, name in (((), r"\('noun', 'verb'\)"), (("verb",), "verb")):
    with pytest.raises(ValueError, match=name):
      evaluation.evaluate(score, [batch], _place, tasks=wrong)
  with pytest.raises(ValueError, match="got a single one"):
    evaluation.evaluate(_score, [batch], _place, tasks=tasks)


@pytest.mark.parametrize("fusion", evaluation.FUSIONS)
def test_views_of_a_video_are_averaged(fusion):
  views = np.array([[0.9, 0.1], [0.3, 0.7], [0.5, 0.5]], np.float32)

  def score(clip):
    return jax.numpy.broadcast_to(views, (len(clip), 3, 2))

  got = evaluation.evaluate(score, WHOLE, _place, fusion=fusion)
  want = views.mean(axis=0)
  if fusion == "logits":
    want = np.cbrt(views.prod(axis=0))
    want /= want.sum()
  np.testing.assert_allclose(got.scores, np.tile(want, (6, 1)), rtol=1e-6)
  np.testing.assert_array_equal(got.views, np.tile(views, (6, 1, 1)))


def test_plain_values_of_any_length_are_gathered():
  values = [{"a": "ä" * 300}, [], 7]
  got = SimulatedProcesses(3).run(
    lambda index, stack: evaluation.gather_json(values[index], stack)
  )
  assert got == [values] * 3
  assert evaluation.gather_json([1, "x"]) == [[1, "x"]]


def test_numbers_that_would_lose_bits_are_refused():
  with pytest.raises(ValueError, match=r"at most 32 bits .* int64"):
    evaluation.stack_processes(np.arange(3))
