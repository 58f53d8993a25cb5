import os
import signal

import pytest

from temporal_jax.training.stop_request import StopRequest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_noted_and_handlers_come_back(number):
  before = signal.getsignal(number)
  with StopRequest() as stop:
    assert stop.signal is None
    os.kill(os.getpid(), number)
    assert stop.signal == number.name
  assert signal.getsignal(number) is before


def test_second_interrupt_stops_at_once():
  with StopRequest():
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
      os.kill(os.getpid(), signal.SIGINT)
