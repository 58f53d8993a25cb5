"""As for training: optax promotes."""

from tests.training.conftest import standard_promotion

__all__ = ["standard_promotion"]
