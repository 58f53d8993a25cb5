"""As for training: optax promotes."""

from tests.training.conftest import standard_promotion as standard_promotion
