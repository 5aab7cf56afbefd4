"""A TCP proxy on loopback before a server, which harms uploads: cut, half-open, reply swallowed, slow.

Other requests than PUT pass unharmed. Bytes are counted from the first of the body.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 12
_RESET = struct.pack("ii", 1, 0)


@dataclass
class Fault:
    """What happens to the next uploads.

    ``cut``: the connection is reset after that many bytes of the body; ``silent``: what comes is taken,
    passed on to nobody, and never answered; ``swallow``: the upload passes, its reply does not; ``pause``:
    seconds between pieces; ``times``: to how many uploads.
    """

    cut: int | None = None
    silent: bool = False
    swallow: bool = False
    pause: float = 0.0
    times: int = 99


@contextlib.contextmanager
def before(port: int, fault: Fault) -> Iterator[int]:
    """Stand before the server at ``port`` while the block runs; give the proxy's own port."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BLOCK)
        listening.bind(("127.0.0.1", 0))
        listening.listen(20)
        done = threading.Event()
        threading.Thread(target=_accept, args=(listening, port, fault, done), daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            done.set()
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, port: int, fault: Fault, done: threading.Event) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, port, fault, done), daemon=True).start()


def _serve(client: socket.socket, port: int, fault: Fault, done: threading.Event) -> None:
    with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as server:
        head = _head(client)
        harmed = head.startswith(b"PUT ") and fault.times > 0
        if harmed:
            fault.times -= 1
        if harmed and fault.silent:
            _hold(client, done)
            return
        start = head.index(b"\r\n\r\n") + 4
        if not harmed:
            server.sendall(head)
            threading.Thread(target=_pump, args=(client, server), daemon=True).start()
            _pump(server, client)
            return
        server.sendall(head[:start])
        _body(client, server, head[start:], fault, _length(head))
        if fault.cut is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            if fault.cut >= _length(head):
                server.recv(_BLOCK)  # the server has it all: let it store it
        elif fault.swallow:
            server.recv(_BLOCK)
        else:
            _pump(server, client)


def _head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(_BLOCK)
        if not piece:
            raise OSError
        head += piece
    return head


def _length(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next((int(value) for name, _, value in lines if name == b"content-length"), 0)


def _body(client: socket.socket, server: socket.socket, first: bytes, fault: Fault, length: int) -> None:
    left = length if fault.cut is None else min(fault.cut, length)
    piece = first
    while left:
        if not piece and not (piece := client.recv(_BLOCK)):
            raise OSError
        server.sendall(piece[:left])
        left -= len(piece[:left])
        piece = b""
        time.sleep(fault.pause)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_BLOCK):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)


def _hold(client: socket.socket, done: threading.Event) -> None:
    client.settimeout(0.1)
    while not done.is_set():
        try:
            if not client.recv(_BLOCK):
                return
        except TimeoutError:
            continue


@contextlib.contextmanager
def tunnel(port: int, refusal: str | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """Be an HTTP proxy while the block runs, which leads everybody to ``port``, or refuses.

    Gives the proxy's port, and what it was asked. An empty ``refusal`` closes the connection.
    """
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_lead, args=(listening, port, refusal, seen), daemon=True).start()
        try:
            yield listening.getsockname()[1], seen
        finally:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)


def _lead(listening: socket.socket, port: int, refusal: str | None, seen: list[bytes]) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_through, args=(client, port, refusal, seen), daemon=True).start()


def _through(client: socket.socket, port: int, refusal: str | None, seen: list[bytes]) -> None:
    with client, contextlib.suppress(OSError):
        seen.append(_head(client))
        if refusal is not None:
            client.sendall(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n".encode() if refusal else b"")
            return
        with socket.create_connection(("127.0.0.1", port)) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=_pump, args=(client, server), daemon=True).start()
            _pump(server, client)
