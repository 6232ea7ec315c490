"""Who works at the command line, as the audit names them."""

from __future__ import annotations

import getpass
import socket

from models.registry.audit import Actor


def operator(purpose: str = "") -> Actor:
    """The system's user and machine: ``cli:name`` on ``host``."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        name = "unknown"
    return Actor(f"cli:{name}", "operator", socket.gethostname(), purpose)
