"""From a classifier to a service that listens: the port, the signals, the end.

uvicorn does the work; what it is told, and what it is not asked to do, stands here.
"""

import errno
import os
import secrets
import socket
from collections.abc import Callable
from types import FrameType
from typing import Self

import uvicorn

from tenfold.digits import Classifier
from tenfold.errors import UsageError
from tenfold.serving.api import make_app
from tenfold.serving.connection import Connection
from tenfold.serving.guards import LOOPBACK_NAMES, Access, is_loopback
from tenfold.serving.service import Service

MAX_CONNECTIONS = 512
IDLE_SECONDS = 30
"""How long a connection without a request is kept."""
# What a request may take: its body, then its answer.
DRAIN_SECONDS = 30


class Server:
    """A port, held until the `with` block ends, and the service behind it once `run` is called.

    Attributes:
        url: where the page is, with the token where one is needed.

    Args:
        classifier: what answers.
        host: the address to listen on.
        port: 0 for any that is free.
        token: what requests must carry; None for one by chance where other machines can reach the service,
            and for none where not.

    Raises:
        UsageError: it cannot listen there.
    """

    def __init__(
        self, classifier: Classifier, *, host: str, port: int, token: str | None = None
    ) -> None:
        self._socket = _listening(host, port)
        address, port = self._socket.getsockname()[:2]
        open_to_network = not is_loopback(address)
        if token is None and open_to_network:
            token = secrets.token_urlsafe(32)
        bracketed = f"[{address}]" if ":" in address else address
        names = {*LOOPBACK_NAMES, bracketed, host.lower()}
        if open_to_network:
            names |= {name := socket.gethostname().lower(), f"{name}.local"}
        access = Access(port, tuple(sorted(names)), open_to_network, token)
        self.url = _url(host, bracketed, port, token)
        self._service: Service | None = None
        app = make_app(classifier, access, on_start=self._started)
        self._server = _Uvicorn(_config(app), on_end=self._ending)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM, then answer what was asked; the signal takes its course after that.

        Raises:
            KeyboardInterrupt: SIGINT has come.
        """
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Do from another thread what a signal does."""
        self._ending()
        self._server.should_exit = True

    def _started(self, service: Service) -> None:
        self._service = service

    def _ending(self) -> None:
        if self._service is not None:
            self._service.draining = True


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, *, on_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_end = on_end

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_end()
        super().handle_exit(sig, frame)


def _config(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=Connection,
        ws="none",
        lifespan="on",
        # It says nothing: what concerns a person, tenfold says.
        log_config=None,
        log_level="critical",
        access_log=False,
        # Nobody's word is taken for where a request comes from.
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens, or UsageError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    # A name that can be no host's does not get as far as the system.
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"--host {host}: expected an address of this machine ({getattr(error, 'strerror', 'not a name')}). "
            "127.0.0.1 is for this machine alone, 0.0.0.0 for every machine that can reach it."
        ) from error
    try:
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # So that a port can be taken again at once. On Windows it would let two programs listen on one.
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise UsageError(_why_not(host, port, error)) from error
    return listening


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use by another program. Name another one with --port, or any with --port 0."
    if error.errno == errno.EACCES:
        return f"port {port} needs rights that you do not have. Name one above 1023 with --port."
    return (
        f"cannot listen on {host}, port {port} ({error.strerror}). Name another --host or --port."
    )


def _own_address() -> str:
    """The address under which machines nearby find this one; its name where it has none.

    A name is seldom known to a phone. Nothing is sent: the system only looks up by which way it would go.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(("192.0.2.1", 9))  # an address that is nobody's (RFC 5737)
        except OSError:
            return socket.gethostname()
        return str(way.getsockname()[0])


def _url(host: str, bracketed: str, port: int, token: str | None) -> str:
    # An address that stands for all of a machine's is none to go to.
    name = _own_address() if bracketed in ("0.0.0.0", "[::]") else bracketed
    if host == "localhost":
        name = host
    # Behind # it is never sent, and so never logged; the page reads it there.
    return f"http://{name}:{port}/" + (f"#token={token}" if token else "")
