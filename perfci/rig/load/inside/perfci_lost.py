"""
Requests that were answered and that Locust would never tell of.

An exception in a `with` block of `catch_response=True` (a parse error, an interrupted task, the end of the test) takes
the request with it: Locust fires no event. Here it is told all the same, once. A response of `catch_response=True` that
never gets a `with` block cannot be told in time; those are counted.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from gevent import GreenletExit
from locust import clients
from locust.contrib import fasthttp
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, ResponseError, StopUser

NO_FAILURE = (GreenletExit, InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopUser)


class Caught:
    """Watches responses that wait for a verdict; `unjudged` counts those that never got one, by event."""

    def __init__(self) -> None:
        self.unjudged: Counter[Any] = Counter()
        self._listeners: dict[Any, list[Callable[..., None]]] = {}

    def tell(self, event: Any, listener: Callable[..., None]) -> None:
        """Call *listener* with what is lost to Locust's `request` *event*, of which a process may have several."""
        self._listeners.setdefault(event, []).append(listener)

    def install(self) -> None:
        """Patch both of Locust's clients; of the fast one, whose requests cost little, only what has to wait."""
        clients.HttpSession.request = self._counting(clients.HttpSession.request)
        fasthttp.ResponseContextManager.__init__ = self._counted(fasthttp.ResponseContextManager.__init__)
        for response in (clients.ResponseContextManager, fasthttp.ResponseContextManager):
            response.__exit__ = self._telling(response.__exit__)

    def _counting(self, request: Callable[..., Any]) -> Callable[..., Any]:
        def counted(session: Any, *args: Any, **named: Any) -> Any:
            response = request(session, *args, **named)
            if named.get("catch_response"):
                self.unjudged[session.request_event] += 1
            return response

        return counted

    def _counted(self, make: Callable[..., None]) -> Callable[..., None]:
        def made(waiting: Any, *args: Any, **named: Any) -> None:
            make(waiting, *args, **named)
            self.unjudged[waiting._request_event] += 1  # noqa: SLF001

        return made

    def _telling(self, leave: Callable[..., Any]) -> Callable[..., Any]:
        def left(response: Any, kind: Any, error: BaseException | None, trace: Any) -> Any:
            handled = leave(response, kind, error, trace)
            event = response._request_event  # noqa: SLF001  # Locust has no public way
            if response._catch_response:  # noqa: SLF001
                self.unjudged[event] -= 1
            if error is not None and response._manual_result is None and not isinstance(error, ResponseError):  # noqa: SLF001
                failure = None if isinstance(error, NO_FAILURE) else error
                for listener in self._listeners.get(event, ()):
                    listener(**{**response.request_meta, "exception": failure})
            return handled

        return left
