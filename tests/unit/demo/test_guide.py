"""The example of the guide: an action of one's own, as it is written there."""

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

GUIDE = Path(__file__).parents[3] / "docs" / "guide.md"


def test_the_action_of_the_guide_asks_what_the_service_answers(
    client: TestClient, user: dict[str, str], tmp_path: Path
) -> None:
    """It is one method with a weight, and its request succeeds."""
    section = GUIDE.read_text(encoding="utf-8").partition("## An action of your own")[2]
    block = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert block is not None
    weights: list[int] = []

    def task(weight: int) -> Callable[[Any], Any]:
        weights.append(weight)
        return lambda method: method

    (tmp_path / "action.py").write_text(block[1], encoding="utf-8")
    action = runpy.run_path(str(tmp_path / "action.py"), {"task": task})

    class Employee:
        recent_projects = action["recent_projects"]

        def ask(self, method: str, path: str, name: str) -> None:
            answer = client.request(method, path, headers=user)
            assert answer.status_code == 200
            assert {project["status"] for project in answer.json()["items"]} == {"finished"}
            assert path.startswith(name)

    Employee().recent_projects()
    assert weights == [5]
