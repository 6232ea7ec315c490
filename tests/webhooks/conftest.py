"""A receiver, and webhooks on both databases."""

from tests.webhooks.receiver import receiver

__all__ = ["receiver"]
