"""The demo service: five business systems in one ASGI application, small enough to read and real enough to measure.

One relational database and one cache: SQLite and a dictionary where nothing else is at hand, PostgreSQL and Redis in
Compose. What the systems share is in `demo.common`; no system knows another.
"""
