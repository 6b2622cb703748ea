"""What a locustfile is made of: which changes change its digest."""

import hashlib
from pathlib import Path

import pytest

from perfci.rig.load.sources import digest

FILES = {
    "loads/profile.py": "import json, locust\nfrom shop.tasks import Browse\nimport common\n",
    "loads/shop/__init__.py": "",
    "loads/shop/tasks.py": "from . import words\nfrom ..other import x\ndef f():\n    from .late import y\n",
    "loads/shop/words.py": "WORDS = []\n",
    "loads/shop/late.py": "import shop.tasks\n",
    "common/__init__.py": "",
    "loads/unused.py": "",
    "loads/words.txt": "",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A locustfile with a package beside it and a module at the project's root."""
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "counts"),
    [(name, not name.endswith(("unused.py", "words.txt"))) for name in FILES],
)
def test_what_is_imported_counts(project: Path, name: str, counts: bool) -> None:
    """Directly, by another module, within a function; and nothing else."""
    before = digest(project / "loads/profile.py", root=project)
    (project / name).write_text(FILES[name] + "# changed\n")
    assert (digest(project / "loads/profile.py", root=project) != before) is counts


def test_a_file_alone_is_known_by_its_content(tmp_path: Path) -> None:
    """As it was before: stored runs know it by this."""
    content = b"import locust\nthis is no Python\n"
    (tmp_path / "x.py").write_bytes(content)
    assert digest(tmp_path / "x.py", root=tmp_path) == hashlib.sha256(content).hexdigest()[:16]
