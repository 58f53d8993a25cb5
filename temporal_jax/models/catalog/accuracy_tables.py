"""The papers' tables of top-1 accuracy, to be cited by entries.

The accuracies themselves are in the entries: ViTs that see space and time in
`space_time.py`, ResNets in `resnets.py`, and so on.
"""

from typing import NamedTuple

from temporal_jax.models.catalog.entry import Accuracy


class Table(NamedTuple):
  """A table of a paper.

  Attributes:
    where: Paper and number of the table.
    data: Data sets of its columns of accuracies.
  """

  where: str
  data: tuple[str, ...]

  def row(
    self,
    *top1: float | None,
    start: str = "",
    frames: int | None = None,
    views: tuple[int, int] | tuple[None, None] = (None, None),
  ) -> tuple[Accuracy, ...]:
    """Returns the figures of one row, one for each data set.

    Args:
      *top1: Accuracy for each of `data`, in percent; None where there is none.
      start: Data that the weights were trained on before; "" if not stated.
      frames: Frames of a clip, None if not stated.
      views: Clips of a video and crops of a clip, likewise.

    Raises:
      ValueError: If there are not as many figures as data sets.
    """
    return tuple(
      Accuracy(
        data=data,
        frames=frames,
        clips=views[0],
        crops=views[1],
        top1=figure,
        start=start,
        where=self.where,
      )
      for data, figure in zip(self.data, top1, strict=True)
      if figure is not None
    )


_KINETICS = ("Kinetics-400",)
_SOMETHING = ("SSv1", "SSv2")

_ATM = "arXiv:2307.08908 supplement"
ATM_A5 = Table(where=f"{_ATM}, table A.5", data=("SSv1",))
ATM_A6 = Table(where=f"{_ATM}, table A.6", data=_SOMETHING)
ATM_A7 = Table(where=f"{_ATM}, table A.7", data=_KINETICS)
ATM_A8 = Table(where=f"{_ATM}, table A.8", data=("ActivityNet 1.3",))

ILA_README = Table(where="README of Francis-Rings/ILA", data=("Kinetics-400", "SSv2"))
XCLIP_README = Table(where="README of microsoft/VideoX", data=_KINETICS)
ILA_2 = Table(where="arXiv:2304.10465 supplement, table 2", data=_KINETICS)

XVIT_2 = Table(where="arXiv:2106.05968 supplement, table 2", data=("SSv2",))

_TADA = "arXiv:2308.05787"
TADA_3C = Table(where=f"{_TADA}, table 3c", data=("Kinetics-400", "SSv2"))
TADA_6 = Table(where=f"{_TADA}, table 6", data=("Kinetics-400", "SSv2"))
TADA_7 = Table(where=f"{_TADA}, table 7", data=_KINETICS)
TADA_8 = Table(where=f"{_TADA}, table 8", data=_KINETICS)
TADA_9 = Table(where=f"{_TADA}, table 9", data=_SOMETHING)

_BLVNET = "arXiv:1912.00869"
BLVNET_1 = Table(where=f"{_BLVNET}, table 1", data=("SSv1",))
BLVNET_2 = Table(where=f"{_BLVNET}, table 2", data=("SSv2",))
BLVNET_3 = Table(where=f"{_BLVNET}, table 3", data=_KINETICS)
BLVNET_4 = Table(where=f"{_BLVNET}, table 4", data=("Moments in Time",))
BLVNET_5 = Table(where=f"{_BLVNET}, table 5", data=("SSv1",))

_THREE = ("Kinetics-400", "Kinetics-600", "SSv2")
TIMESFORMER_README = Table(where="README of facebookresearch/TimeSformer", data=_THREE)
MMACTION2_TIMESFORMER = Table(where="README of open-mmlab/mmaction2", data=_KINETICS)

_VIDEOMAE = "MODEL_ZOO of MCG-NJU/VideoMAE"
VIDEOMAE_KINETICS = Table(where=_VIDEOMAE, data=_KINETICS)
VIDEOMAE_SOMETHING = Table(where=_VIDEOMAE, data=("SSv2",))
VIDEOMAEV2 = Table(where="MODEL_ZOO of OpenGVLab/VideoMAEv2", data=_THREE)

VIVIT_README = Table(
  where="README of google-research/scenic", data=("Kinetics-400", "Kinetics-600")
)
VJEPA2_README = Table(where="README of facebookresearch/vjepa2", data=("SSv2",))
