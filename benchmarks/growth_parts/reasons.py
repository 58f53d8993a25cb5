"""Reasons for exponents that are not those of the papers."""

from collections.abc import Mapping
from types import MappingProxyType

# By subject, axis and quantity.
REASONS: Mapping[tuple[str, str, str], str] = MappingProxyType({})
