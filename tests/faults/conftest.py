"""What a test of a fault needs: the row that it stands for, and the stage on which whole runs are played."""

import pytest

from tests.faults import Fault
from tests.faults.scenes import Stage


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> Fault:
    """The row of the table that the test carries as its mark."""
    row = request.node.get_closest_marker("fault").args[0]
    assert isinstance(row, Fault)
    return row


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Where the scenes of the tests are played."""
    return Stage(tmp_path_factory.mktemp("stage"))
