"""A target whose TLS cannot be used is told at once, with the next step: to ask again changes nothing."""

import os
from pathlib import Path

import pytest

from perfci.errors import TargetError
from perfci.rig.host.tls import trusting
from perfci.rig.target import readiness
from tests.fakes.driven import serving
from tests.fakes.package_index import PackageIndex
from tests.fakes.package_index import serving as serving_tls


def _await(url: str, **ready: bool) -> None:
    readiness.wait(readiness.Ready(timeout_s=20.0, **ready), url, died=lambda: "", logs_tail=lambda: "")


def test_a_certificate_that_nobody_trusts_is_named(tmp_path: Path) -> None:
    """It was "connection refused or reset" until the time was over; the open port alone is enough to begin with."""
    with serving_tls(PackageIndex(tmp_path / "index")) as index:
        url = index.url.removesuffix("/simple")
        with pytest.raises(TargetError, match=r"the certificate of the target at .* cannot be verified \(") as caught:
            _await(url)
        assert "tcp = true" in caught.value.hint
        _await(url, tcp=True)


def test_a_service_without_tls_is_told_as_such() -> None:
    """The address is wrong, not the certificate."""
    with serving() as service, pytest.raises(TargetError, match="does not speak TLS") as caught:
        _await(service.url.replace("http:", "https:"))
    assert "http://" in caught.value.hint


def test_the_file_of_authorities_is_replaced_and_never_rewritten(tmp_path: Path) -> None:
    """The load of one side may read it while that of the other side begins."""
    own = tmp_path / "own.pem"
    own.write_text("own certificate\n")
    file = Path(trusting([str(own)], into=tmp_path / "load")["SSL_CERT_FILE"])
    with file.open() as read:
        trusting([str(own)], into=tmp_path / "load")
        assert not os.path.samestat(os.fstat(read.fileno()), file.stat())
        assert read.read().endswith("own certificate\n")
    assert list((tmp_path / "load").iterdir()) == [file]
