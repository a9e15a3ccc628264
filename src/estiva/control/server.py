"""The running control server: its stages, its loop, and how it ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from estiva import __version__
from estiva.control.autoscaler import Autoscaler
from estiva.control.endpoints import EndpointIntake
from estiva.control.intake import Intake
from estiva.control.reconcile import Reconciler
from estiva.control.stages import Stages
from estiva.gateway import binary
from estiva.home import Home
from estiva.messages import ServerStatus


class Server:
    def __init__(self, home: Home, request_exit: Callable[[], None]) -> None:
        self.stages = Stages.open(home)
        self.reconciler = Reconciler(self.stages)
        self.autoscaler = Autoscaler(self.stages, self.reconciler.wake)
        self.intake = Intake(self.stages, self.reconciler)
        self.endpoints = EndpointIntake(self.stages, self.intake, self.reconciler)
        self.stopping = threading.Event()
        self._request_exit = request_exit
        self._started = time.monotonic()

    def start(self) -> None:
        self.reconciler.start()
        self.autoscaler.start()

    def status(self) -> ServerStatus:
        return ServerStatus(
            version=__version__,
            pid=os.getpid(),
            home=str(self.stages.home.root),
            seconds_up=time.monotonic() - self._started,
            services=len(self.stages.store.services()),
            gateway=binary.explain(),
        )

    def shut_down(self) -> None:
        """Lets streams end, then the process; replicas and gateways go on without it."""
        self.stopping.set()
        self.stages.changes.announce()
        self._request_exit()

    def close(self) -> None:
        self.stopping.set()
        self.autoscaler.stop()
        self.reconciler.stop()
        self.stages.store.close()
