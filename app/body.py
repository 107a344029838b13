"""Bodies of requests as visitors send them: what is wrong with one is their fault, and answered as such."""

from collections.abc import Callable, Iterable
from typing import IO, Any

from flask import Flask
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge, RequestTimeout

_Application = Callable[..., Iterable[bytes]]


class Body:
    """``wsgi.input``, read with care; Werkzeug asks for ``read`` alone.

    A server reads a chunked body while the application does, and reports what is malformed in it with exceptions of
    its own, which would end in a 500. Of a chunked body that is too long, Werkzeug would take the beginning for all.
    """

    def __init__(self, stream: IO[bytes], limit: int | None) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes.

        Raises:
            RequestEntityTooLarge: 413, the body has as many bytes as the limit, or more.
            RequestTimeout: 408, nothing came for as long as the server waits.
            ClientDisconnected: 400, the body is malformed or ends too early.
        """
        try:
            data = self._stream.read(size)
        except (TimeoutError, BlockingIOError) as error:
            raise RequestTimeout from error
        except Exception as error:
            raise ClientDisconnected from error
        if self._left is not None:
            self._left -= len(data)
            if self._left <= 0:
                raise RequestEntityTooLarge
        return data


def read_bodies_with_care(app: Flask) -> None:
    """Stand between the server and Flask; a request without a body is not touched."""
    inner: _Application = app.wsgi_app

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        if is_chunked or environ.get("CONTENT_LENGTH"):
            limit = app.config["MAX_CONTENT_LENGTH"] if is_chunked else None
            environ["wsgi.input"] = Body(environ["wsgi.input"], limit)
        return inner(environ, start_response)

    app.wsgi_app = call  # type: ignore[method-assign]  # Flask's documented way
