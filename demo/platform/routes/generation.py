"""Generation tasks: asked for at once, done later."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from sqlalchemy import select

from demo.common.deps import Db, Deps, Id, User
from demo.common.routing import Route
from demo.platform.engine import begin
from demo.platform.models import GenerationTask
from demo.platform.schemas import NewTask, TaskFilters, TaskItem, TaskPage

router = APIRouter(prefix="/generation/tasks", tags=["generation"], route_class=Route)


@router.post("", status_code=201)
def create_task(order: NewTask, caller: User, services: Deps, db: Db) -> TaskItem:
    """Ask for something to be generated; its status says when it is done."""
    task = GenerationTask(user_id=caller.id, kind=order.kind, prompt=order.prompt)
    db.add(task)
    db.commit()
    begin(services, task.id, task.prompt)
    return TaskItem.model_validate(task)


@router.get("")
def list_tasks(caller: User, db: Db, wanted: Annotated[TaskFilters, Query()]) -> TaskPage:
    """One's own tasks, newest first."""
    query = select(GenerationTask).where(GenerationTask.user_id == caller.id)
    if wanted.status is not None:
        query = query.where(GenerationTask.status == wanted.status)
    if wanted.before is not None:
        query = query.where(GenerationTask.id < wanted.before)
    tasks = db.scalars(query.order_by(GenerationTask.id.desc()).limit(wanted.limit + 1)).all()
    items = [TaskItem.model_validate(task) for task in tasks[: wanted.limit]]
    return TaskPage(items=items, next_before=items[-1].id if len(tasks) > wanted.limit else None)


@router.get("/{id}")
def read_task(task_id: Id, caller: User, db: Db) -> TaskItem:
    """One of one's own tasks."""
    task = db.get(GenerationTask, task_id)
    if task is None or task.user_id != caller.id:
        raise HTTPException(404, f"there is no task {task_id} of yours")
    return TaskItem.model_validate(task)
