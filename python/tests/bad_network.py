"""What stands between a program and its store on a bad day: refusals, broken connections, answers that get lost."""

from __future__ import annotations

import http.client
import itertools
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

BUSY = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
TROUBLES = ("busy", "hang up", "lose the answer")


class BadNetwork:
    """A proxy before the server at `address`, with trouble at every `every`-th request, each kind in turn."""

    def __init__(self, address: str, every: int) -> None:
        self.met = dict.fromkeys(TROUBLES, 0)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, urlsplit(address).netloc))
        self._server.daemon_threads = True
        self._numbers, self._every = itertools.count(1), every
        Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = "http://{}:{}".format(*self._server.server_address[:2])

    def trouble(self) -> str | None:
        """What happens to the next request."""
        times, rest = divmod(next(self._numbers), self._every)
        if rest:
            return None
        kind = TROUBLES[times % len(TROUBLES)]
        self.met[kind] += 1
        return kind

    def close(self) -> None:
        """Takes no more requests."""
        self._server.shutdown()
        self._server.server_close()


def _handler(network: BadNetwork, server: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            match network.trouble():
                case "busy":
                    self.answer(503, {"Content-Type": "application/xml"}, BUSY)
                case "hang up":
                    self.hang_up()
                case kind:
                    status, headers, answer = self.passed_on(body)
                    self.hang_up() if kind else self.answer(status, headers, answer)

        def passed_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            there = http.client.HTTPConnection(server, timeout=60)
            there.request(self.command, self.path, body, dict(self.headers))
            answer = there.getresponse()
            content = answer.read()
            there.close()
            return answer.status, dict(answer.getheaders()), content

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in ("connection", "transfer-encoding"):
                    self.send_header(name, value)
            if not {"content-length", "Content-Length"} & headers.keys() and self.command != "HEAD":
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

        def hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    return Handler
