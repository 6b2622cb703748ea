"""What a test of a fault needs: the row that it stands for."""

import pytest

from tests.faults import Fault


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> Fault:
    """The row of the table that the test carries as its mark."""
    row = request.node.get_closest_marker("fault").args[0]
    assert isinstance(row, Fault)
    return row
