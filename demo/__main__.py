"""`python -m demo --port 8000`: one process, until it is told to stop."""

import argparse
import gc
import os
import signal
import socket
import sys
from types import FrameType

import uvicorn

from demo.app import create_app
from demo.common.settings import Settings


class _Server(uvicorn.Server):
    """Says where it listens as soon as it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            # What the imports left behind lives as long as the process: no use in walking through it again and again.
            gc.collect()
            gc.freeze()
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            print(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 2 if a setting makes no sense, 3 if the service could not start."""
    parser = argparse.ArgumentParser(prog="demo", description="The demo service, in one process.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")), help="0 picks a free one")
    options = parser.parse_args(arguments)
    # Outside of uvicorn's own handling, and after it, a signal means: leave, and clean up on the way.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        app = create_app(Settings.from_environment())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        access_log=False,
        log_level="warning",
        lifespan="on",
        ws="websockets-sansio",
        loop="asyncio",  # uvloop, where installed, writes by other system calls: a census would count them
        timeout_keep_alive=75,  # longer than anybody thinks between two requests
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    server.run()
    return 0 if server.started else 3


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
