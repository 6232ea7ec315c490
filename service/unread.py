"""Problem+json also for what gunicorn cannot read as a request: no HTTP, an address or headers too long."""

from __future__ import annotations

import secrets
import socket
from http import HTTPStatus

import orjson
from gunicorn import util  # type: ignore[import-untyped]

from service.problems import MEDIA_TYPE, Problem, catalogue


def refuse_unread(client: socket.socket, status: int, _reason: str, message: str) -> None:
    """What gunicorn answers to what it cannot read as a request: ours in place of its page.

    Its message would repeat what was sent; the status says enough, but for an address typed in Chinese.
    """
    known = f"H{status}" if f"H{status}" in catalogue() else "H400"
    if (
        status == HTTPStatus.BAD_REQUEST
        and message.startswith("Invalid Request Line")
        and not message.isascii()
    ):
        known = "R406"
    body = orjson.dumps(Problem(status, known).told("/", secrets.token_hex(8)))
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Connection: close\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(client, head.encode() + body)


def install() -> None:
    """In a worker: gunicorn looks this function up whenever it refuses."""
    util.write_error = refuse_unread
