"""A TCP proxy on loopback that fails as it is told: what lies between us and a server of a store."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Literal

Mode = Literal["pass", "stall", "lose"]


class Proxy:
    """Listens in front of one server.

    Attributes:
        mode: ``pass`` on what comes; ``stall``: swallow it, and answer nothing; ``lose``: pass it on,
            and close when the answer comes.
        connections: How many were ever accepted.
    """

    def __init__(self, host: str, port: int) -> None:
        """Begin to listen."""
        self.mode: Mode = "pass"
        self.connections = 0
        self._target = host, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def refuse(self) -> None:
        """Go away: who comes now is refused, and who is there is cut off."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone does not wake who accepts
        self._listener.close()
        self.cut()

    def back(self) -> None:
        """Listen again, at the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Cut off who is there."""
        open_, self._open = self._open, []
        for each in open_:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self) -> None:
        """End."""
        self.refuse()

    def _accept(self) -> None:
        listener = self._listener
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                self.connections += 1
                far = socket.create_connection(self._target)
                self._open += [near, far]
                threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
                threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if self.mode == "stall":
                    continue
                if self.mode == "lose" and answers:
                    break
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


__all__ = ["Mode", "Proxy"]
