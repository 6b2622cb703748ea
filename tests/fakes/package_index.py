"""A package index on loopback, with TLS and a few small wheels, so that an installation needs no network."""

import base64
import contextlib
import datetime as dt
import hashlib
import importlib.metadata
import ipaddress
import ssl
import threading
import zipfile
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VERSION = "1.0"


class PackageIndex:
    """What it has is written into its folder; `asked` are the paths that clients requested."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True)
        self.certificate = folder / "certificate.pem"
        self.asked: list[str] = []
        self.url = ""

    def add(self, name: str, files: Mapping[str, bytes], *, scripts: Mapping[str, bytes] | None = None) -> str:
        """Offer a wheel of *files* (path in site-packages -> content) and *scripts*; its line for a lock file."""
        whole = dict(files) | {f"{name}-{VERSION}.data/scripts/{path}": text for path, text in (scripts or {}).items()}
        info = f"{name}-{VERSION}.dist-info"
        whole[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n".encode()
        whole[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        lines = [f"{path},sha256={_record_digest(content)},{len(content)}" for path, content in whole.items()]
        whole[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()
        wheel = self.folder / f"{name}-{VERSION}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, content in whole.items():
                entry = zipfile.ZipInfo(path)
                entry.external_attr = (0o100755 if "/scripts/" in path else 0o100644) << 16
                archive.writestr(entry, content)
        return f"{name}=={VERSION} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"

    def answer(self, path: str) -> bytes | None:
        """The page of a package, or a wheel; None where there is no such thing."""
        self.asked.append(path)
        kind, _, name = path.strip("/").partition("/")
        if kind == "simple" and (wheels := sorted(self.folder.glob(f"{name}-*.whl"))):
            links = [f'<a href="/wheels/{wheel.name}">{wheel.name}</a>' for wheel in wheels]
            return "\n".join(["<!DOCTYPE html><html><body>", *links, "</body></html>"]).encode()
        wheel = self.folder / Path(name).name
        return wheel.read_bytes() if kind == "wheels" and wheel.suffix == ".whl" and wheel.is_file() else None


def files_of(distribution: str) -> dict[str, bytes]:
    """The modules of an installed package, as `PackageIndex.add` takes them."""
    found = importlib.metadata.files(distribution) or []
    return {path.as_posix(): path.read_binary() for path in found if path.suffix == ".py" and ".." not in path.parts}


@contextlib.contextmanager
def serving(index: PackageIndex) -> Iterator[PackageIndex]:
    """*index* at its `url`, under its certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = index.answer(self.path)
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Type", "text/html" if "/simple/" in self.path else "application/octet-stream")
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            """Into no test's output."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certify(index.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        index.url = f"https://127.0.0.1:{server.server_address[1]}/simple"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield index
        finally:
            server.shutdown()
            thread.join()


def _record_digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def certify(folder: Path) -> Path:
    """Write an authority into `certificate.pem`, and what it says of loopback into the file that is returned."""
    authority, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
    now = dt.datetime.now(dt.UTC)
    common = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
    )
    own = (
        common.subject_name(name)
        .serial_number(1)
        .public_key(authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority, hashes.SHA256())
    )
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    servers = (
        common.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]))
        .serial_number(2)
        .public_key(server.public_key())
        .add_extension(loopback, critical=False)
        .sign(authority, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(own.public_bytes(pem))
    chain = folder / "server.pem"
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(server.private_bytes(pem, *plain) + servers.public_bytes(pem))
    return chain
