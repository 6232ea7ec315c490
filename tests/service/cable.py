"""A cable between the service and a server, to be cut and mended: a TCP proxy on a port of its own."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit


class Cable:
    """Leads from ``self.port`` to ``host:port`` until it is cut: then connections end and none is taken."""

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = _listening(0)
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        """Connections that were let through since it was laid."""
        self._serve()

    @classmethod
    def before(cls, url: str, default_port: int) -> tuple[Cable, str]:
        """A cable to the server of a URL, and the URL that goes through it."""
        parts = urlsplit(url)
        cable = cls(parts.hostname or "127.0.0.1", parts.port or default_port)
        user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        return cable, urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{cable.port}"))

    def cut(self) -> None:
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in (self._listener, *ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def mend(self) -> None:
        self._listener = _listening(self.port)
        self._serve()

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                here, _ = listener.accept()
            except OSError:
                return
            there = socket.create_connection(self._there)
            with self._lock:
                self._ends |= {here, there}
                self.accepted += 1
            for one, other in ((here, there), (there, here)):
                threading.Thread(target=_carry, args=(one, other), daemon=True).start()


def _listening(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), reuse_port=False)


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while part := one.recv(65536):
            other.sendall(part)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
