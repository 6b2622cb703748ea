"""What a test of a fault needs: the row that it stands for, and the stage on which whole runs are played."""

from collections.abc import Iterator

import pytest

from tests.faults import Fault
from tests.faults.scenes import Scene, Stage


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> Fault:
    """The row of the table that the test carries as its mark."""
    row = request.node.get_closest_marker("fault").args[0]
    assert isinstance(row, Fault)
    return row


@pytest.fixture(scope="session")
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Begins with every scene that the collected tests will ask for."""
    stage = Stage(tmp_path_factory.mktemp("stage"))
    for item in request.session.items:
        scene = item.callspec.params.get("scene") if hasattr(item, "callspec") else None
        if isinstance(scene, Scene) and not scene.alone:
            stage.announce(scene)
    yield stage
    stage.close()
