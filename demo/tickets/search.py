"""The inverted index over the titles of tickets."""

import re
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from demo.tickets.models import Ticket, TicketWord

_WORD = re.compile(r"\w{2,40}")


def words_of(text: str) -> list[str]:
    """The distinct words of a text, as the index has them."""
    return sorted(set(_WORD.findall(text.lower())))


def tickets_with(words: list[str]) -> Select[Any]:
    """The tickets with all these words in their title, newest first."""
    query = select(Ticket).order_by(Ticket.id.desc())
    for position, word in enumerate(words):
        entry = aliased(TicketWord)
        query = query.join(entry, (entry.ticket_id == Ticket.id) & (entry.word == word))
        if position == 0:
            # The index is already in this order: the newest matches are found without looking at the others.
            query = query.order_by(None).order_by(entry.ticket_id.desc())
    return query
