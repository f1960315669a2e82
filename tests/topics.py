"""moto's topics show how many have subscribed, and moto never counts them: these are counted."""

from __future__ import annotations

from moto.backends import get_backend

ACCOUNT = "123456789012"


def count_subscriptions() -> None:
    """As SNS does by itself. One that waits has a word in place of its ARN."""
    for backend in get_backend("sns")[ACCOUNT].values():
        for arn, topic in backend.topics.items():
            own = [one.arn for one in backend.subscriptions.values() if one.topic.arn == arn]
            topic.subscriptions_confimed = sum(one.startswith("arn:") for one in own)
            topic.subscriptions_pending = len(own) - topic.subscriptions_confimed
