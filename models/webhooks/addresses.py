"""Where messages may go: to public addresses, and to the networks that the operator allows by name.

A name is resolved once, every address it has must be allowed, and the connection goes to one of those: a name
that answers differently a moment later (DNS rebinding) leads nowhere else.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from models.errors import Text, UsageRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Sequence[str]]
LONGEST = 2_000
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PLATFORM = frozenset({ipaddress.ip_address("168.63.129.16")})
"""Public by its number, yet a cloud's own service for the machines in it."""


class AddressRefused(Exception):
    """The name leads to an address that messages may not go to."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. ``path`` with the query."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def read_url(url: str, allowed: Sequence[Network] = ()) -> Target:
    """UsageRefused: W001 it is not such a URL, W002 it names an address that is not allowed.

    ``http://`` only for what lies in an allowed network; a name is looked up when a message is sent.
    """
    target = _parsed(url)
    if target is None or (not target.secure and not allowed):
        raise UsageRefused(
            "W001",
            Text("地址应以 https:// 开头，不带用户名和 #", "the URL begins with https://, without user or #"),
            Text("例如 https://example.com/hooks/tidui", "For example https://example.com/hooks/tidui"),
        )
    literal = _literal(target.host)
    if target.host == "localhost" or target.host.endswith(".localhost"):
        literal = ipaddress.ip_address("127.0.0.1")
    if literal is not None and not _may_go(literal, target.secure, allowed):
        raise UsageRefused(
            "W002",
            Text("不能发往内网、本机或云平台自用的地址", "private, local and metadata addresses are refused"),
            Text(
                "用公网地址；内网接收方请管理员设置 TIDUI_WEBHOOK_NETWORKS",
                "Use a public address, or have the administrator set TIDUI_WEBHOOK_NETWORKS",
            ),
        )
    return target


def system_resolver(host: str, port: int) -> Sequence[str]:
    """All addresses of a name. OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def addresses_of(target: Target, allowed: Sequence[Network], resolve: Resolver) -> Sequence[str]:
    """The addresses to try, in order. AddressRefused if one is not allowed; OSError if there is none."""
    found = resolve(target.host, target.port)
    if not found:
        raise OSError("no address")
    for text in found:
        if not _may_go(ipaddress.ip_address(text), target.secure, allowed):
            raise AddressRefused
    return found


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet at large, whatever it is wrapped in."""
    inner = _unwrapped(address)
    return (
        inner.is_global
        and not inner.is_multicast
        and not inner.is_reserved
        and not inner.is_unspecified
        and inner not in _PLATFORM
    )


def _may_go(address: Address, secure: bool, allowed: Sequence[Network]) -> bool:
    inner = _unwrapped(address)
    if any(inner in network for network in allowed):
        return True
    return secure and is_public(inner)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one carries: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    carried = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    return carried or address


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _parsed(url: str) -> Target | None:
    if len(url) > LONGEST or not _PRINTABLE.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    secure = parts.scheme == "https"
    wrong = parts.scheme not in {"https", "http"} or not host or "@" in parts.netloc or "#" in url
    if wrong or host is None or port == 0 or "%" in host:
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, host.rstrip("."), port or (443 if secure else 80), path)
