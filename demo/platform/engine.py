"""
What works on generation tasks.

There is no model here: a task takes the time that a small one would, and its result is a digest of its prompt.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy import select, update

from demo.common.models import now
from demo.common.services import Services
from demo.platform.models import GenerationTask

SHORTEST_SECONDS = 0.1
SECONDS_PER_LETTER = 0.001


def begin(services: Services, task_id: int, prompt: str) -> None:
    """Work on a task beside the requests."""
    seconds = SHORTEST_SECONDS + SECONDS_PER_LETTER * len(prompt)
    services.later.after(seconds, partial(_finish, services, task_id, prompt))


def _finish(services: Services, task_id: int, prompt: str) -> None:
    result = hashlib.sha256(prompt.encode()).hexdigest()
    finished = update(GenerationTask).where(GenerationTask.id == task_id)
    with services.database.session() as db:
        db.execute(finished.values(status="done", result=result, finished_at=now()))
        db.commit()


@asynccontextmanager
async def resume(services: Services) -> AsyncIterator[None]:
    """Begin again with what an earlier process did not finish."""
    with services.database.session() as db:
        query = select(GenerationTask.id, GenerationTask.prompt).where(GenerationTask.status == "running")
        for task_id, prompt in db.execute(query).all():
            begin(services, task_id, prompt)
    yield
