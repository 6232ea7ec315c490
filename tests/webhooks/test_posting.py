"""Where messages may go, and what a hostile receiver cannot do."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from models.errors import UsageRefused
from models.webhooks.addresses import is_public, read_url, system_resolver
from models.webhooks.posting import Reply, post
from tests.webhooks.receiver import LOOPBACK, Receiver

LONG = 20.0
Talk = Callable[[socket.socket], None]


def to(
    url: str, *, seconds: float = LONG, resolve: Callable[[str, int], Sequence[str]] = system_resolver
) -> Reply:
    return post(read_url(url, LOOPBACK), b"{}", {}, allowed=LOOPBACK, resolve=resolve, seconds=seconds)


def heard(connection: socket.socket) -> None:
    """Read all that was sent: closing with bytes unread would reset the connection under the answer."""
    said = b""
    while not said.endswith(b"{}") and (more := connection.recv(65536)):
        said += more


@contextmanager
def talking(talk: Talk) -> Iterator[int]:
    """A server that does what it likes with its one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(LONG)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.100.100.200", "168.63.129.16", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "::1",
        "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_internet_is_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(UsageRefused) as refused:
        read_url(f"https://{host}/hook")
    assert refused.value.code == "W002"


@pytest.mark.parametrize("address", ["1.1.1.1", "114.114.114.114", "2400:3200::1", "::ffff:1.1.1.1"])
def test_an_address_of_the_internet_is_taken(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "https:///x", "https://me@example.com/",
        "https://example.com/#part", "https://example.com:0/", "https://example.com:99999/", "example.com",
        "https://exa mple.com/", "https://example.com/\r\nX: 1", "https://例子.cn/", "https://[fe80::1%25eth0]/",
        "https://example.com/" + "a" * 2000, "file:///etc/passwd",
    ],
)  # fmt: skip
def test_what_is_no_url_for_messages_is_refused(url: str) -> None:
    with pytest.raises(UsageRefused) as refused:
        read_url(url)
    assert refused.value.code == "W001"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "a.localhost"])
def test_this_machine_by_name_is_refused(host: str) -> None:
    with pytest.raises(UsageRefused) as refused:
        read_url(f"https://{host}/")
    assert refused.value.code == "W002"


@pytest.mark.parametrize(
    "answers", [["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["::ffff:127.0.0.1"], ["169.254.169.254"]]
)
def test_a_name_that_leads_to_a_private_address_is_not_called(answers: list[str]) -> None:
    target = read_url("https://rebound.example/hook")
    reply = post(target, b"{}", {}, allowed=(), resolve=lambda host, port: answers)
    assert reply == Reply(None, "address_refused")


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1"])
def test_an_address_in_disguise_is_not_called(host: str) -> None:
    reply = post(read_url(f"https://{host}/"), b"{}", {}, allowed=(), resolve=system_resolver)
    assert reply == Reply(None, "address_refused")


def test_the_connection_goes_to_the_address_that_was_checked(receiver: Receiver) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    reply = to(f"http://nowhere.example:{receiver.port}/a?b=c", resolve=resolve)
    assert (reply, asked) == (Reply(204, None), ["nowhere.example"])
    assert receiver.got[0].path == "/a?b=c"
    assert receiver.got[0].headers["host"] == f"nowhere.example:{receiver.port}"


def test_plain_http_is_not_sent_over_the_internet() -> None:
    target = read_url("http://example.com/", LOOPBACK)
    reply = post(target, b"{}", {}, allowed=LOOPBACK, resolve=lambda host, port: ["1.1.1.1"])
    assert reply.fault == "address_refused"


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"Location": f"http://127.0.0.1:{receiver.port}/secret"}
    assert to(receiver.url) == Reply(307, "redirect")
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("status", "fault"), [(200, None), (400, "refused"), (500, "refused"), (410, "gone")]
)
def test_the_status_decides(receiver: Receiver, status: int, fault: str | None) -> None:
    receiver.status = status
    assert to(receiver.url) == Reply(status, fault)


def test_a_receiver_that_says_nothing_is_left() -> None:
    over = threading.Event()

    def wait(connection: socket.socket) -> None:
        over.wait(LONG)

    with talking(wait) as port:
        assert to(f"http://127.0.0.1:{port}/", seconds=0.3) == Reply(None, "too_slow")
        over.set()


def test_a_receiver_that_drips_is_left() -> None:
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not over.wait(0.05):
            connection.sendall(b"a")

    with talking(drip) as port:
        assert to(f"http://127.0.0.1:{port}/", seconds=0.6) == Reply(None, "too_slow")
        over.set()


def test_of_a_receiver_that_pours_nothing_is_read() -> None:
    def pour(connection: socket.socket) -> None:
        heard(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError):
            while True:
                connection.sendall(b"a" * 65536)

    with talking(pour) as port:
        assert to(f"http://127.0.0.1:{port}/") == Reply(200, None)


@pytest.mark.parametrize(
    "said",
    [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 70_000, b"HTTP/1.1 abc\r\n\r\n",
     b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"],
)  # fmt: skip
def test_what_is_no_answer_is_no_success(said: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        heard(connection)
        connection.sendall(said)

    with talking(talk) as port:
        assert to(f"http://127.0.0.1:{port}/") == Reply(None, "no_http")


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert to(f"http://127.0.0.1:{port}/") == Reply(None, "no_connection")


def test_a_name_without_an_address() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror("Name or service not known")

    assert to("https://none.example/", resolve=resolve) == Reply(None, "not_found")


def test_over_tls_the_certificate_must_be_trusted_and_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certificate_for("hooks.example", tmp_path / "hooks.pem")

    def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    with speaking_tls(certificate) as port:
        assert to(f"https://hooks.example:{port}/", resolve=here) == Reply(None, "no_trust")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with speaking_tls(certificate) as port:
        assert to(f"https://hooks.example:{port}/", resolve=here) == Reply(200, None)
    with speaking_tls(certificate) as port:
        assert to(f"https://other.example:{port}/", resolve=here) == Reply(None, "no_trust")


@contextmanager
def speaking_tls(certificate: Path) -> Iterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            heard(secured)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with talking(talk) as port:
        yield port


def certificate_for(name: str, path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2020, 1, 1))
        .not_valid_after(dt.datetime(2120, 1, 1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path
