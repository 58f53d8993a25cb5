"""Repositories of weights on the Hugging Face hub: downloads and uploads."""

from temporal_jax.hub.address import (
  Address as Address,
  address_hint as address_hint,
  is_address as is_address,
  parse_address as parse_address,
  refuse_address as refuse_address,
)
from temporal_jax.hub.client import HubError as HubError
from temporal_jax.hub.download import Snapshot as Snapshot, fetch as fetch
from temporal_jax.hub.upload import upload as upload
