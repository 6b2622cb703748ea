"""Files that belong to tickets."""

import hashlib

from fastapi import APIRouter, HTTPException, UploadFile

from demo.common.deps import Db, Id, User
from demo.common.routing import Route
from demo.tickets.models import Attachment
from demo.tickets.routes.tickets import find_ticket
from demo.tickets.schemas import AttachmentItem

router = APIRouter(prefix="/attachments", tags=["attachments"], route_class=Route)

LARGEST = 1 << 20


@router.post("/ticket/{id}/upload", status_code=201)
def upload(ticket_id: Id, file: UploadFile, caller: User, db: Db) -> AttachmentItem:
    """Attach a file of at most a megabyte."""
    find_ticket(db, ticket_id)
    content = file.file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise HTTPException(413, f"a file has {LARGEST} bytes at most")
    attachment = Attachment(
        ticket_id=ticket_id,
        uploader_id=caller.id,
        filename=(file.filename or "file")[:200],
        content_type=(file.content_type or "application/octet-stream")[:100],
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
    )
    db.add(attachment)
    db.commit()
    return AttachmentItem.model_validate(attachment)
