"""The event loop for scripts whose functions are asynchronous: one for the process, in a thread of its own.

It is one, so that what `async def init()` opened, a client say, belongs to the same loop as every run().
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Generator
from typing import Any, TypeVar

_T = TypeVar("_T")

_END = object()


class _EventLoop:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    def get(self) -> asyncio.AbstractEventLoop:
        """Started when it is first asked for, and anew in a forked process: threads are not forked along."""
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                self._loop, self._process = asyncio.new_event_loop(), os.getpid()
                threading.Thread(target=self._loop.run_forever, name="estiva tasks", daemon=True).start()
            return self._loop


_tasks = _EventLoop()


def wait_for(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run it on the event loop and return its result, or raise what it raises. Not from the loop itself."""
    return asyncio.run_coroutine_threadsafe(coroutine, _tasks.get()).result()


def iterate(items: AsyncIterator[_T]) -> Generator[_T, None, None]:
    """The items one by one; closing the iterator closes the asynchronous one."""
    try:
        while (item := wait_for(_next(items))) is not _END:
            yield item
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            wait_for(close())


async def _next(items: AsyncIterator[Any]) -> Any:
    return await anext(items, _END)
