import numpy as np
import pytest

from temporal_jax.data import VideoReader
from temporal_jax.data.video.encoding import encode_mp4


@pytest.mark.parametrize(
  "frames",
  [
    np.zeros((2, 16, 16, 3), np.float32),
    np.zeros((16, 16, 3), np.uint8),
    np.zeros((0, 16, 16, 3), np.uint8),
    np.zeros((2, 15, 16, 3), np.uint8),
  ],
)
def test_rejects_wrong_frames(frames):
  with pytest.raises(ValueError, match=r"got"):
    encode_mp4(frames, fps=10)


def test_codes_of_frames_do_not_depend_on_their_order():
  rng = np.random.default_rng(0)
  waves = rng.uniform(0, 255, (8, 4, 4, 3)).repeat(8, 1).repeat(8, 2)
  frames = np.clip(waves + rng.normal(0, 9, waves.shape), 0, 255).astype(np.uint8)
  order = rng.permutation(8)

  def decoded(clip):
    with VideoReader(encode_mp4(clip, fps=10, intra_qp=24)) as reader:
      return reader.read(range(8))

  forth = decoded(frames)
  np.testing.assert_array_equal(decoded(frames[order]), forth[order])
  assert 0 < np.abs(forth.astype(int) - frames).mean() < 12
  # A frame's repetition is the same picture.
  still = decoded(frames[np.zeros(8, int)])
  np.testing.assert_array_equal(still, forth[:1].repeat(8, 0))


@pytest.mark.parametrize("quantizer", [0, 52, "24"])
def test_rejects_wrong_quantizers(quantizer):
  frames = np.zeros((2, 16, 16, 3), np.uint8)
  with pytest.raises(ValueError, match="intra_qp must be"):
    encode_mp4(frames, fps=10, intra_qp=quantizer)
