"""Projects: list, create, read, change, delete."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from demo.common.deps import SIGNED_IN, Db, Id
from demo.common.models import now
from demo.common.routing import Route
from demo.crm.models import Customer, Project
from demo.crm.schemas import NewProject, ProjectChanges, ProjectFilters, ProjectItem, ProjectPage
from demo.crm.store import change, find, page

router = APIRouter(prefix="/projects", tags=["projects"], dependencies=[SIGNED_IN], route_class=Route)


@router.get("")
def list_projects(db: Db, wanted: Annotated[ProjectFilters, Query()]) -> ProjectPage:
    """Projects with all these properties, newest first."""
    filters = (
        (Project.status, wanted.status),
        (Project.roof, wanted.roof),
        (Project.customer_id, wanted.customer_id),
    )
    shown, before = page(db, Project, wanted, filters)
    return ProjectPage(items=[ProjectItem.model_validate(project) for project in shown], next_before=before)


@router.post("", status_code=201)
def create_project(order: NewProject, db: Db) -> ProjectItem:
    """A new project."""
    if db.get(Customer, order.customer_id) is None:
        raise HTTPException(404, f"there is no customer {order.customer_id}")
    project = Project(**order.model_dump())
    db.add(project)
    db.commit()
    return ProjectItem.model_validate(project)


@router.get("/{id}")
def read_project(project_id: Id, db: Db) -> ProjectItem:
    """One project."""
    return ProjectItem.model_validate(find(db, Project, project_id))


@router.patch("/{id}")
def change_project(project_id: Id, changes: ProjectChanges, db: Db) -> ProjectItem:
    """Change a project; what is left out stays."""
    project = find(db, Project, project_id)
    change(project, changes)
    if "status" in changes.model_fields_set:
        project.finished_at = now() if changes.status == "finished" else None
    db.commit()
    return ProjectItem.model_validate(project)


@router.delete("/{id}", status_code=204)
def delete_project(project_id: Id, db: Db) -> None:
    """Delete a project."""
    db.delete(find(db, Project, project_id))
    db.commit()
