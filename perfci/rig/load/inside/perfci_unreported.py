"""
Requests that were answered and that Locust fires no `request` event for.

An exception in a `with` block of `catch_response=True` (a parse error, an interrupted task, the end of the test) takes
the request with it. Such a request is reported here, once. A response of `catch_response=True` that never gets a `with`
block cannot be reported in time; those are counted.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from gevent import GreenletExit
from locust import clients
from locust.contrib import fasthttp
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, ResponseError, StopUser

NO_FAILURE = (GreenletExit, InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopUser)


class UnreportedRequests:
    """Reports the requests that Locust drops; `unjudged` counts, by event, those that never got a `with` block."""

    def __init__(self) -> None:
        self.unjudged: Counter[Any] = Counter()
        self._listeners: dict[Any, list[Callable[..., None]]] = {}

    def add_listener(self, event: Any, listener: Callable[..., None]) -> None:
        """Call *listener* with each request that should have fired *event*, of which a process may have several."""
        self._listeners.setdefault(event, []).append(listener)

    def install(self) -> None:
        """Patch both of Locust's clients; of the fast one, whose requests cost little, only `catch_response`."""
        clients.HttpSession.request = self._counting_request(clients.HttpSession.request)
        fasthttp.ResponseContextManager.__init__ = self._counting_init(fasthttp.ResponseContextManager.__init__)
        for response in (clients.ResponseContextManager, fasthttp.ResponseContextManager):
            response.__exit__ = self._reporting_exit(response.__exit__)

    def _counting_request(self, request: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(session: Any, *args: Any, **named: Any) -> Any:
            response = request(session, *args, **named)
            if named.get("catch_response"):
                self.unjudged[session.request_event] += 1
            return response

        return wrapper

    def _counting_init(self, init: Callable[..., None]) -> Callable[..., None]:
        def wrapper(response: Any, *args: Any, **named: Any) -> None:
            init(response, *args, **named)
            self.unjudged[response._request_event] += 1  # noqa: SLF001

        return wrapper

    def _reporting_exit(self, leave: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(response: Any, kind: Any, error: BaseException | None, trace: Any) -> Any:
            handled = leave(response, kind, error, trace)
            event = response._request_event  # noqa: SLF001  # Locust has no public way
            if response._catch_response:  # noqa: SLF001
                self.unjudged[event] -= 1
            if error is not None and response._manual_result is None and not isinstance(error, ResponseError):  # noqa: SLF001
                failure = None if isinstance(error, NO_FAILURE) else error
                for listener in self._listeners.get(event, ()):
                    listener(**{**response.request_meta, "exception": failure})
            return handled

        return wrapper
