import numpy as np
import pytest

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
