"""Object storage for tests: a real HTTP server that answers like Amazon S3, by moto."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "a-key",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def object_storage() -> Iterator[str]:
    """
    Serve empty object storage at the URL that is yielded.

    One request is answered after the other, so that a condition and its write are one step, as in S3.
    """
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        requests.post(f"{url}/moto-api/reset", timeout=60).raise_for_status()  # moto's objects outlive a server
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
