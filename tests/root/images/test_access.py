"""Who may talk to a registry, and how: TLS with authorities and certificates of our own, Basic, Bearer, proxies."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.root.images.conftest import Store, imported, tar
from tests.root.registry import PROGRAM, free_port, registry

from wharf.errors import NotFound, Unauthorized, Unavailable
from wharf.images.images import Images
from wharf.images.registry.credentials import ANONYMOUS, Credentials
from wharf.images.registry.hosts import RegistryOptions
from wharf.images.registry.retrying import Patience
from wharf.images.registry.transport import Waiting

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed"),
]
KEYS = Path(__file__).parents[2] / "data/tls"
HTPASSWD = "me:$2b$04$4WUHZpzOx9ivgT.QbWQ4fu57yBrpOfdqpMNd8xlmpKSlfQGmW.X2C\n"  # secret
ELSEWHERE = "192.0.2.1"  # TEST-NET-1 (RFC 5737): an address of ours that is not the loopback's


def transfer(store: Store, name: str, options: RegistryOptions, credentials: Credentials = ANONYMOUS) -> list[str]:
    """Push an image and pull it again as others would."""

    async def both() -> list[str]:
        images = Images(
            store.data, store.database, store.content, store.snapshots, registries=replace(options, attempts=1),
            waiting=Waiting(patience=Patience(attempts=1)),
        )  # fmt: skip
        await images.start()
        try:
            await _import(store, name)
            await images.start()
            told = [d async for d in images.transfers.push(name, credentials=credentials)]
            told += [d async for d in images.transfers.pull(name, credentials=credentials)]
        finally:
            await images.aclose()
        return [str(document.get("status")) for document in told]

    return asyncio.run(both())


async def _import(store: Store, name: str) -> None:
    await store.images.start()
    repository, _, tag = name.rpartition(":")
    await imported(store, tar(f=b"1" * 1000), repository, tag=tag)


@contextmanager
def secured(tmp_path: Path, **more: object) -> Iterator[str]:
    """A registry that speaks TLS with the certificate of ``localhost``."""
    port = free_port()
    tls = {"certificate": str(KEYS / "server.pem"), "key": str(KEYS / "server-key.pem"), **more}
    with registry(tmp_path / "registry", port=port, http={"addr": f"127.0.0.1:{port}", "tls": tls}) as address:
        yield address


def certificates(tmp_path: Path, host: str, **files: str) -> RegistryOptions:
    """Put copies of test certificates where they are looked for; ``ca_crt="ca.pem"`` makes ``ca.crt``."""
    folder = tmp_path / "certs.d" / host
    folder.mkdir(parents=True)
    for name, source in files.items():
        shutil.copy(KEYS / source, folder / name.replace("_", "."))
    return RegistryOptions(certificates=(tmp_path / "certs.d",))


def test_a_registry_of_our_own_authority_is_trusted(store: Store, tmp_path: Path) -> None:
    with secured(tmp_path) as host:
        options = certificates(tmp_path, host, ca_crt="ca.pem")

        assert "Pushed" in transfer(store, f"{host}/a:1", options)


def test_one_of_another_authority_is_not(store: Store, tmp_path: Path) -> None:
    with secured(tmp_path) as host:
        options = certificates(tmp_path, host, ca_crt="stranger.pem")
        with pytest.raises(Unavailable, match="certificate verify failed"):
            transfer(store, f"{host}/a:1", options)


def test_who_shows_a_certificate_is_let_in(store: Store, tmp_path: Path) -> None:
    with secured(tmp_path, clientcas=[str(KEYS / "ca.pem")]) as host:
        with pytest.raises(Unavailable):
            transfer(store, f"{host}/a:1", RegistryOptions(certificates=()))
        options = certificates(tmp_path, host, ca_crt="ca.pem", client_cert="client.pem", client_key="client-key.pem")

        assert "Pushed" in transfer(store, f"{host}/a:1", options)


def configured(tmp_path: Path, name: str, text: str) -> RegistryOptions:
    """What a registry's hosts.toml says, with the test's authority beside it."""
    folder = tmp_path / "certs.d" / name
    folder.mkdir(parents=True)
    shutil.copy(KEYS / "ca.pem", folder / "our.pem")
    (folder / "hosts.toml").write_text(text)
    return RegistryOptions(certificates=(tmp_path / "certs.d",))


def test_a_registrys_file_says_where_it_is_and_who_vouches_for_it(store: Store, tmp_path: Path) -> None:
    with secured(tmp_path) as host:
        port = host.rpartition(":")[2]
        text = f'server = "https://localhost:{port}"\nca = "our.pem"\n'
        options = configured(tmp_path, "reg.example", text)

        assert "Pushed" in transfer(store, "reg.example/a:1", options)


def test_a_mirror_is_asked_first_and_the_registry_when_it_has_none(store: Store, tmp_path: Path) -> None:
    """The registry has one image, its mirror another; then both are gone, and the copy here has to do."""
    with registry(tmp_path / "itself") as itself, registry(tmp_path / "mirror") as mirror:
        for address, content in ((itself, b"itself"), (mirror, b"mirror")):
            name = f"{address}/a:1"
            asyncio.run(_put(store, name, content))
        asyncio.run(_put(store, f"{itself}/b:1", b"only here"))
        text = f'server = "http://{itself}"\n[host."http://{mirror}"]\n'
        options = configured(tmp_path, "reg.example", text)

        pulled_a = asyncio.run(_pull(store, "reg.example/a:1", options))
        pulled_b = asyncio.run(_pull(store, "reg.example/b:1", options))
    stale = asyncio.run(_pull(store, "reg.example/a:1", options))

    assert _content(store, "reg.example/a:1") == b"mirror"
    assert _content(store, "reg.example/b:1") == b"only here"
    assert [said[-1].split(":")[0] for said in (pulled_a, pulled_b)] == ["Status"] * 2
    assert stale[-1] == "Status: Using the stored copy of reg.example/a:1"


def test_a_mirror_that_only_has_digests_is_not_asked_for_a_tag(store: Store, tmp_path: Path) -> None:
    with registry(tmp_path / "itself") as itself, registry(tmp_path / "mirror") as mirror:
        asyncio.run(_put(store, f"{mirror}/a:1", b"mirror"))
        text = f'server = "http://{itself}"\n[host."http://{mirror}"]\ncapabilities = ["pull"]\n'
        options = configured(tmp_path, "reg.example", text)
        with pytest.raises(NotFound):
            asyncio.run(_pull(store, "reg.example/a:1", options))
        digest = store.images.resolve(f"{mirror}/a:1").manifest_digest

        assert asyncio.run(_pull(store, f"reg.example/a@{digest}", options))[-1].startswith("Status: ")


@asynccontextmanager
async def _images(store: Store, options: RegistryOptions) -> AsyncIterator[Images]:
    images = Images(
        store.data, store.database, store.content, store.snapshots, registries=replace(options, attempts=1),
        waiting=Waiting(patience=Patience(attempts=1)),
    )  # fmt: skip
    await images.start()
    try:
        yield images
    finally:
        await images.aclose()
        await store.images.start()


async def _put(store: Store, name: str, content: bytes) -> None:
    await store.images.start()
    repository, _, tag = name.rpartition(":")
    await imported(store, tar(f=content), repository, tag=tag)
    async with _images(store, RegistryOptions()) as images:
        async for _ in images.transfers.push(name, credentials=ANONYMOUS):
            pass


async def _pull(store: Store, name: str, options: RegistryOptions) -> list[str]:
    async with _images(store, options) as images:
        return [str(d.get("status")) async for d in images.transfers.pull(name, credentials=ANONYMOUS)]


def _content(store: Store, name: str) -> bytes:
    [layer] = store.snapshots.lower_dirs(store.images.resolve(name).chain_id)
    return (layer / "f").read_bytes()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A registry with TLS at an address that is not the loopback's; gives its host and its own certificate."""
    subprocess.run(["ip", "address", "add", f"{ELSEWHERE}/32", "dev", "lo"], check=True)
    try:
        certificate, key = tmp_path / "own.pem", tmp_path / "own-key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", key, "-out", certificate, "-subj", "/CN=registry",
             "-addext", f"subjectAltName=IP:{ELSEWHERE}"],
            check=True, capture_output=True,
        )  # fmt: skip
        port = free_port()
        http = {"addr": f":{port}", "tls": {"certificate": str(certificate), "key": str(key)}}
        with registry(tmp_path / "elsewhere", port=port, http=http):
            yield f"{ELSEWHERE}:{port}", certificate
    finally:
        subprocess.run(["ip", "address", "del", f"{ELSEWHERE}/32", "dev", "lo"], check=True)


def test_elsewhere_a_certificate_nobody_vouches_for_is_refused_unless_listed(
    store: Store, elsewhere: tuple[str, Path], tmp_path: Path
) -> None:
    host, certificate = elsewhere
    with pytest.raises(Unavailable, match="certificate"):
        transfer(store, f"{host}/a:1", RegistryOptions(certificates=()))

    assert "Pushed" in transfer(store, f"{host}/a:1", RegistryOptions(certificates=(), insecure=(host,)))
    (tmp_path / "certs.d" / host).mkdir(parents=True)
    shutil.copy(certificate, tmp_path / "certs.d" / host / "own.crt")
    assert "Pushed" in transfer(store, f"{host}/b:1", RegistryOptions(certificates=(tmp_path / "certs.d",)))


def test_elsewhere_plain_http_is_refused_unless_listed(store: Store, tmp_path: Path) -> None:
    subprocess.run(["ip", "address", "add", f"{ELSEWHERE}/32", "dev", "lo"], check=True)
    try:
        port = free_port()
        with registry(tmp_path / "plain", port=port, http={"addr": f":{port}"}):
            name = f"{ELSEWHERE}:{port}/a:1"
            with pytest.raises(Unavailable):
                transfer(store, name, RegistryOptions(certificates=()))

            assert "Pushed" in transfer(store, name, RegistryOptions(certificates=(), insecure=("192.0.2.0/24",)))
    finally:
        subprocess.run(["ip", "address", "del", f"{ELSEWHERE}/32", "dev", "lo"], check=True)


def test_a_password_is_asked_for_and_checked(store: Store, tmp_path: Path) -> None:
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    guard = {"htpasswd": {"realm": "ours", "path": str(tmp_path / "htpasswd")}}
    with registry(tmp_path / "registry", auth=guard) as host:
        for nobody in (Credentials(server=host, username="me", password="no"), ANONYMOUS):
            with pytest.raises(Unauthorized, match=rf"^push access denied for {host}/a, .* 'docker login': "):
                transfer(store, f"{host}/a:1", RegistryOptions(), nobody)
        me = Credentials(server=host, username="me", password="secret")

        assert "Pushed" in transfer(store, f"{host}/a:1", RegistryOptions(), me)


class TokenServer:
    """Gives bearer tokens as distribution's "Token Authentication Specification" has them, signed by openssl."""

    def __init__(self, folder: Path) -> None:
        self.key, self.certificate = folder / "token-key.pem", folder / "token.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out",
             self.certificate, "-subj", "/CN=tokens"],
            check=True, capture_output=True,
        )  # fmt: skip
        self.asked: list[tuple[str, list[str]]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                user, _, password = _basic(self.headers.get("Authorization", "")).partition(":")
                server.asked.append((user, query.get("scope", [])))
                if user and password != "secret":
                    self.send_error(401)
                    return
                actions = ["pull", "push"] if user else ["pull"]
                body = json.dumps({"token": server.token(query, actions), "expires_in": 300}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self.http.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self._thread.join()
        self.http.server_close()

    @property
    def auth(self) -> dict[str, object]:
        realm = f"http://127.0.0.1:{self.http.server_address[1]}/token"
        own = {"realm": realm, "service": "ours", "issuer": "us", "rootcertbundle": str(self.certificate)}
        return {"token": own}

    def token(self, query: dict[str, list[str]], actions: list[str]) -> str:
        pem = self.certificate.read_text().strip().splitlines()
        header = {"alg": "RS256", "typ": "JWT", "x5c": ["".join(pem[1:-1])]}
        access = []
        for scope in " ".join(query.get("scope", [])).split():
            kind, name, wanted = scope.split(":")
            access.append({"type": kind, "name": name, "actions": [a for a in wanted.split(",") if a in actions]})
        now = int(time.time())
        claims = {"iss": "us", "sub": "", "aud": "ours", "exp": now + 300, "nbf": now - 5, "iat": now, "jti": "1"}
        signed = f"{_url64(json.dumps(header).encode())}.{_url64(json.dumps({**claims, 'access': access}).encode())}"
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self.key], input=signed.encode(), capture_output=True, check=True
        ).stdout
        return f"{signed}.{_url64(signature)}"


def _basic(header: str) -> str:
    return base64.b64decode(header.removeprefix("Basic ")).decode()


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_bearer_token_is_fetched_for_what_is_done(store: Store, tmp_path: Path) -> None:
    tokens = TokenServer(tmp_path)
    try:
        with registry(tmp_path / "registry", auth=tokens.auth) as host:
            me = Credentials(server=host, username="me", password="secret")
            assert "Pushed" in transfer(store, f"{host}/group/a:1", RegistryOptions(), me)
            assert any(user == "me" and "repository:group/a:pull,push" in scopes for user, scopes in tokens.asked)
            with pytest.raises((Unauthorized, NotFound)):
                transfer(store, f"{host}/group/b:1", RegistryOptions())
            with pytest.raises(Unauthorized):
                transfer(store, f"{host}/c:1", RegistryOptions(), replace(me, password="wrong"))
    finally:
        tokens.close()


class Proxy:
    """A proxy that tunnels (CONNECT), and passes on what has a whole address in its first line."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._start(self._serve, self._listener.accept()[0])

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := client.recv(4096)):
                    return
                head += piece
            method, target, rest = head.split(b" ", 2)
            self.asked.append(f"{method.decode()} {target.decode()}")
            place = target.decode() if method == b"CONNECT" else urlsplit(target.decode()).netloc
            host, _, port = place.rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                if method == b"CONNECT":
                    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                else:
                    parts = urlsplit(target.decode())
                    path = parts.path + (f"?{parts.query}" if parts.query else "")
                    server.sendall(b" ".join([method, path.encode(), rest]))
                back = threading.Thread(target=_pass, args=(server, client))
                back.start()
                _pass(client, server)
                back.join()


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.close()


def test_https_goes_through_a_proxys_tunnel(
    store: Store, elsewhere: tuple[str, Path], proxy: Proxy, tmp_path: Path
) -> None:
    host, certificate = elsewhere
    (tmp_path / "certs.d" / host).mkdir(parents=True)
    shutil.copy(certificate, tmp_path / "certs.d" / host / "own.crt")
    options = RegistryOptions(certificates=(tmp_path / "certs.d",), https_proxy=proxy.address)
    assert "Pushed" in transfer(store, f"{host}/a:1", options)

    assert set(proxy.asked) == {f"CONNECT {host}"}
    proxy.asked.clear()
    assert "Pushed" in transfer(store, f"{host}/b:1", replace(options, no_proxy="192.0.2.0/24,other"))
    assert proxy.asked == []
