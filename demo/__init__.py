"""An enterprise ticket management service, small enough to read and real enough to measure.

One ASGI application, a relational database and a cache: SQLite and a dictionary where nothing else is at hand,
PostgreSQL and Redis in Compose.
"""
