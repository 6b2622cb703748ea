"""Comments on tickets."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from demo.common.deps import SIGNED_IN, Db, Id, User
from demo.common.routing import Route
from demo.common.schemas import Person
from demo.tickets.models import Comment, Ticket
from demo.tickets.routes.tickets import find_ticket
from demo.tickets.schemas import CommentItem, NewComment

router = APIRouter(prefix="/comments", tags=["comments"], route_class=Route)


@router.post("/ticket/{id}", status_code=201)
def add_comment(ticket_id: Id, order: NewComment, caller: User, db: Db) -> CommentItem:
    """Say something about a ticket."""
    ticket = find_ticket(db, ticket_id)
    comment = Comment(ticket_id=ticket_id, author_id=caller.id, body=order.body)
    db.add(comment)
    # In the statement itself: two people commenting at once must both count.
    ticket.comment_count = Ticket.comment_count + 1
    db.commit()
    return CommentItem(
        id=comment.id,
        author=Person(id=caller.id, name=caller.profile.name),
        body=comment.body,
        created_at=comment.created_at,
    )


@router.get("/ticket/{id}", dependencies=[SIGNED_IN])
def list_comments(ticket_id: Id, db: Db, limit: Annotated[int, Query(ge=1, le=100)] = 25) -> list[CommentItem]:
    """The latest comments on a ticket, newest first."""
    find_ticket(db, ticket_id)
    query = select(Comment).where(Comment.ticket_id == ticket_id).order_by(Comment.id.desc()).limit(limit)
    return [CommentItem.model_validate(comment) for comment in db.scalars(query.options(joinedload(Comment.author)))]
