"""The hub, on this machine."""

import pytest

from tests.support.hub_server import local_hub


@pytest.fixture
def server(tmp_path, monkeypatch):
  with local_hub(tmp_path, monkeypatch) as running:
    yield running
