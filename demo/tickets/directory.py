"""The staff directory: another service that says what somebody may do with tickets."""

import time

from fastapi import Depends
from fastapi.concurrency import run_in_threadpool

from demo.common.deps import Deps, User


async def ask_directory(services: Deps, _caller: User) -> None:
    """
    Wait for another service, as requests do: with a worker thread and a database connection at hand meanwhile.

    Nothing is computed here, so all of them can wait at once, and what keeps them from it is a defect.
    """
    if seconds := services.settings.directory_ms / 1000:

        def wait() -> None:
            with services.database.session() as db:
                db.connection()
                time.sleep(seconds)

        await run_in_threadpool(wait)


DIRECTORY = Depends(ask_directory)
