"""One POST to somebody else's server, who may be slow, broken or hostile.

The connection goes to an address that was checked; redirects are not followed; nothing of the answer but its
status is read; and all of it together takes no longer than it may.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from models.errors import Text
from models.webhooks.addresses import AddressRefused, Network, Resolver, Target, addresses_of

SECONDS = 15.0
"""For connecting, sending and the head of the answer, together."""
CONNECT_SECONDS = 5.0

FAULTS: Mapping[str, Text] = {
    "address_refused": Text(
        "域名指向内网、本机或云平台自用的地址，没有发送", "its name leads to a private address: not sent"
    ),
    "not_found": Text("域名解析不出地址", "its name has no address"),
    "no_connection": Text("连接不上", "no connection could be made"),
    "no_trust": Text(
        "TLS 证书不可信或握手失败", "its TLS certificate is not trusted, or the handshake failed"
    ),
    "too_slow": Text("15 秒内没有答复", "no answer within 15 seconds"),
    "no_http": Text("答复不是 HTTP", "the answer is not HTTP"),
    "redirect": Text(
        "答复是转向，不跟随；请改订阅的地址", "it redirects, which is not followed; mend the URL"
    ),
    "refused": Text("对方没有接受", "the receiver did not accept it"),
    "gone": Text("对方答复 410，订阅已停用", "the receiver answered 410: the webhook was switched off"),
    "deleted": Text("订阅已删除，不再发送", "the webhook was deleted"),
    "lost": Text("发送时工作进程中断", "the worker was lost while sending"),
}
"""Why a message did not arrive."""


@dataclass(frozen=True, slots=True)
class Reply:
    """``status``: what was answered, if anything was. ``fault``: a key of FAULTS; None: it arrived."""

    status: int | None
    fault: str | None

    @property
    def final(self) -> bool:
        """Whether trying again would be of no use."""
        return self.fault in {"address_refused", "gone"}


def post(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: Sequence[Network],
    resolve: Resolver,
    seconds: float = SECONDS,
) -> Reply:
    """Send it once. Raises nothing: what went wrong is in the reply."""
    try:
        addresses = addresses_of(target, allowed, resolve)
    except AddressRefused:
        return Reply(None, "address_refused")
    except (OSError, UnicodeError):
        return Reply(None, "not_found")
    try:
        raw = _dialled(addresses, target.port, min(seconds, CONNECT_SECONDS))
    except OSError:
        return Reply(None, "no_connection")
    with raw, _until(raw, seconds) as late:
        reply = _spoken(raw, target, body, headers)
        return Reply(None, "too_slow") if late.is_set() else reply


def _spoken(raw: socket.socket, target: Target, body: bytes, headers: Mapping[str, str]) -> Reply:
    connection = http.client.HTTPConnection(target.host, target.port)
    try:
        connection.sock = _secured(raw, target.host) if target.secure else raw
        connection.request("POST", target.path, body, {"Host": target.host_header, **headers})
        return _judged(connection.getresponse().status)
    except TimeoutError:
        return Reply(None, "too_slow")
    except ssl.SSLError:
        return Reply(None, "no_trust")
    except (http.client.HTTPException, OSError, ValueError):
        return Reply(None, "no_http")
    finally:
        connection.close()


def _judged(status: int) -> Reply:
    if 200 <= status < 300:
        return Reply(status, None)
    if 300 <= status < 400:
        return Reply(status, "redirect")
    return Reply(status, "gone" if status == 410 else "refused")


def _dialled(addresses: Sequence[str], port: int, seconds: float) -> socket.socket:
    """Connected to the first of the first three addresses that answers."""
    last = OSError("no address")
    for address in addresses[:3]:
        try:
            return socket.create_connection((address, port), timeout=seconds)
        except OSError as error:
            last = error
    raise last


def _secured(raw: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(raw, server_hostname=host)


@contextmanager
def _until(raw: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """Ends the conversation after so many seconds, however slowly the other side keeps talking.

    A timeout of the socket alone begins anew with every byte.
    """
    raw.settimeout(seconds)
    late = threading.Event()
    with raw.dup() as handle:

        def end() -> None:
            late.set()
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

        watch = threading.Timer(seconds, end)
        watch.daemon = True
        watch.start()
        try:
            yield late
        finally:
            watch.cancel()
            watch.join()
