"""Who reads our formats, what they were seen to do, and how to make them."""

from __future__ import annotations

from aidns.render.consumers.base import UNKNOWN, Consumer, Seen, Snippet
from aidns.render.consumers.others import OTHERS
from aidns.render.consumers.servers import SERVERS

CONSUMERS: dict[str, Consumer] = {consumer.id: consumer for consumer in (*SERVERS, *OTHERS)}

__all__ = ["CONSUMERS", "UNKNOWN", "Consumer", "Seen", "Snippet"]
