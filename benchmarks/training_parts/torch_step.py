"""A plain training step in torch, without JAX."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from benchmarks.shared import torch_device
from benchmarks.training_parts import update_rules


def create(
  network: nn.Module,
  logits: Callable[[], torch.Tensor],
  *,
  batch: int,
  optimizer: str,
) -> Callable[[], torch.Tensor]:
  """Returns a step, which waits and returns the mean loss.

  Args:
    network: The network, which is set to train.
    logits: Computes its logits (B, L) of the same clips.
    batch: Clips, B; their labels are 0, 1, ...
    optimizer: "sgd" or "adamw", see `update_rules`.
  """
  network.train()
  parameters = list(network.parameters())
  labels = torch.arange(batch, device=parameters[0].device)
  settings = {
    "lr": update_rules.RATES[optimizer],
    "weight_decay": update_rules.DECAY,
  }
  if optimizer == "adamw":
    rule = torch.optim.AdamW(parameters, **settings)
  else:
    rule = torch.optim.SGD(
      parameters, momentum=update_rules.MOMENTUM, nesterov=True, **settings
    )

  def run() -> torch.Tensor:
    rule.zero_grad()
    loss = functional.cross_entropy(logits().float(), labels)
    loss.backward()
    rule.step()
    torch_device.wait()
    return loss.detach()

  return run
