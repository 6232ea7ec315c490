"""Tickets: addresses for programs that cannot send a key, made with a key and good for some hours.

A ticket names a key and an end, and is sealed by HMAC-SHA256 with the pepper of the keys; nothing is stored.
It opens what is marked ``@needs(…, basic=True)`` under ``/r/<ticket>/…`` and nothing else, and it dies with
its key. It is no key: whoever finds it in a log can look firms up until it ends, and that is all.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

FOLDER = "/r/"
_WRITTEN = re.compile(r"tdt_([a-z2-7]{12})_(\d{10})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class Ticket:
    """Whose it is and when it ends (UTC, whole seconds)."""

    key_id: str
    expires_at: datetime


def write_ticket(pepper: bytes, ticket: Ticket) -> str:
    """``tdt_<key>_<end>_<seal>``, safe in a path."""
    end = int(ticket.expires_at.timestamp())
    return f"tdt_{ticket.key_id}_{end}_{_seal(pepper, ticket.key_id, str(end))}"


def read_ticket(pepper: bytes, text: str) -> Ticket | None:
    """None for what is no ticket or was not sealed here. Whether it has ended is for the reader to ask."""
    match = _WRITTEN.fullmatch(text)
    if match is None or not hmac.compare_digest(match[3], _seal(pepper, match[1], match[2])):
        return None
    return Ticket(match[1], datetime.fromtimestamp(int(match[2]), UTC))


def _seal(pepper: bytes, key_id: str, end: str) -> str:
    sealed = hmac.digest(pepper, f"ticket\n{key_id}\n{end}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")
