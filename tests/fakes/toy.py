"""
A toy service with every fault that a target can have, on request.

    python -m tests.fakes.toy --port 8000 --ready-after 1

Standard library only; it holds seeded data in memory, as the real ones do in a database.
"""

import argparse
import base64
import hashlib
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Toy(ThreadingHTTPServer):
    """A server that misbehaves as its *faults* say; use it as a context, or run the module."""

    daemon_threads = True
    request_queue_size = 128  # connections that wait on a busy machine; the five of the library are soon refused

    def __init__(self, faults: argparse.Namespace) -> None:
        super().__init__(("127.0.0.1", faults.port), Handler)
        self.faults = faults
        self.started = time.monotonic()
        self.data: dict[str, int] = {}
        self.asked: list[str] = []
        self.messages = 0  # over WebSockets that are closed

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.started


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer on a kept connection waits 40 ms for an acknowledgement
    server: Toy

    def do_GET(self) -> None:
        faults = self.server.faults
        self.server.asked.append(self.path)
        if self.headers.get("upgrade") == "websocket":
            self.server.messages += echo(self)
            return
        if faults.die_at and len(self.server.asked) > faults.die_at:
            os._exit(7)
        spared = not self.path.startswith(faults.only)
        if self.server.age_s < faults.ready_after:
            self._answer(503, {"status": "starting"})
        elif faults.hang and not spared:
            time.sleep(faults.hang)
        elif faults.redirect and self.path == "/":
            self._answer(302, {}, location=faults.redirect)
        else:
            self._answer(200 if spared else faults.status, {"status": "ok"})

    def do_POST(self) -> None:
        faults = self.server.faults
        length = int(self.headers.get("content-length") or 0)
        recipe = json.loads(self.rfile.read(length) or b"{}")
        if self.path != "/test-data" or faults.refuse_seed:
            self._answer(403, {"detail": "not here"})
            return
        if self.server.data:
            self._answer(409, {"detail": "there is test data already"})
            return
        counts = dict(recipe["counts"])
        if faults.half_seed:
            self.server.data = {name: count // 2 for name, count in counts.items()}
            if faults.half_seed == "loud":
                self._answer(500, {"detail": "the disk is full"})
                return
        else:
            self.server.data = counts
        answer: dict[str, object] = {"created": self.server.data}
        if not faults.no_digest:
            answer["digest"] = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
        self._answer(201, answer)

    def do_DELETE(self) -> None:
        if self.server.faults.refuse_clean:
            self._answer(500, {"detail": "locked"})
        else:
            self.server.data = {}
            self._answer(204, None)

    def _answer(self, status: int, body: object, *, location: str = "") -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if not self.server.faults.unmarked:
            self.send_header("test-target", "true")
        if location:
            self.send_header("location", location)
        if body is not None:
            self.send_header("content-type", "application/json")
        if status != 204:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Quiet: the tests that want a log write one."""


def echo(handler: BaseHTTPRequestHandler) -> int:
    """Be a WebSocket (RFC 6455) that sends every short message back until the client closes; how many there were."""
    key = handler.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    handler.send_response(101)
    handler.send_header("upgrade", "websocket")
    handler.send_header("connection", "upgrade")
    handler.send_header(
        "sec-websocket-accept", base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()
    )
    handler.end_headers()
    handler.close_connection = True
    messages = 0
    while len(head := handler.rfile.read(2)) == 2 and head[0] & 0x0F != 8:
        mask = handler.rfile.read(4)
        body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(handler.rfile.read(head[1] & 0x7F)))
        handler.wfile.write(bytes([head[0], len(body)]) + body)
        messages += 1
    return messages


def parser() -> argparse.ArgumentParser:
    """The faults, all of them off."""
    options = argparse.ArgumentParser(prog="toy", description=__doc__)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--certificate", metavar="FILE", help="speak TLS with this certificate and key")
    options.add_argument("--say", default="", help="printed at the start")
    options.add_argument("--ready-after", type=float, default=0.0, metavar="S", help="503 before")
    options.add_argument("--die-after", type=float, metavar="S", help="exit with code 7")
    options.add_argument("--die-at", type=int, default=0, metavar="N", help="exit with code 7 after N GETs")
    options.add_argument("--slow-stop", type=float, default=0.0, metavar="S", help="from SIGTERM to the end")
    options.add_argument("--ignore-sigterm", action="store_true")
    options.add_argument("--daemon", action="store_true", help="also start a child in a session of its own")
    options.add_argument("--only", default="", metavar="PATH", help="paths that --status and --hang are for")
    options.add_argument("--status", type=int, default=200, help="of every GET")
    options.add_argument("--hang", type=float, default=0.0, metavar="S", help="before every GET is dropped")
    options.add_argument("--redirect", default="", metavar="URL", help="from /")
    options.add_argument("--unmarked", action="store_true", help="does not say that it is a test target")
    options.add_argument("--refuse-seed", action="store_true")
    options.add_argument("--half-seed", choices=["loud", "silent"], default="")
    options.add_argument("--refuse-clean", action="store_true")
    options.add_argument("--no-digest", action="store_true")
    options.add_argument("--burn", action="store_true", help="keep a core busy")
    options.add_argument("--grow", type=float, default=0.0, metavar="MB", help="take so much memory every second")
    return options


def main(arguments: list[str]) -> None:
    """Serve until killed."""
    faults = parser().parse_args(arguments)
    if faults.say:
        print(faults.say, flush=True)
    if faults.ignore_sigterm:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if faults.slow_stop:
        signal.signal(signal.SIGTERM, lambda *_: _later(faults.slow_stop, lambda: os._exit(0)))
    if faults.die_after is not None:
        _later(faults.die_after, lambda: os._exit(7))
    if faults.daemon:
        daemon = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
        print(f"daemon {daemon.pid}", flush=True)
    if faults.burn:
        threading.Thread(target=_burn, daemon=True).start()
    if faults.grow:
        threading.Thread(target=_grow, args=(faults.grow,), daemon=True).start()
    with Toy(faults) as server:
        if faults.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(faults.certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.serve_forever()


def _burn() -> None:
    while True:
        hashlib.sha256(bytes(1 << 20))  # without the lock that the requests need


def _grow(mb: float) -> None:
    taken = []
    while True:
        taken.append(b"x" * int(mb * 1e5))
        time.sleep(0.1)


def _later(seconds: float, action: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    main(sys.argv[1:])
