"""Errors of ours on their way from an executor to the driver: through Spark, of which only the text comes out again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from stackmill import errors

_MARK = "stackmill-error:"


@contextmanager
def sent() -> Iterator[None]:
    """In an executor: an error of ours says all of itself in a line of its text."""
    try:
        yield
    except errors.Error as error:
        about = {**vars(error), "class": type(error).__name__}
        raise RuntimeError(f"{error}\n{_MARK}{json.dumps(about)}\n") from None


@contextmanager
def received() -> Iterator[None]:
    """In the driver: an error of ours that an executor has sent is raised instead of Spark's."""
    try:
        yield
    except Exception as error:
        ours = _read(str(error))
        if ours is None:
            raise
        raise ours from None


def _read(text: str) -> errors.Error | None:
    _, mark, rest = text.partition(_MARK)
    if not mark:
        return None
    try:
        about, _ = json.JSONDecoder().raw_decode(rest)
        kind = getattr(errors, about.pop("class"))
        error = kind(about.pop("message"), **about)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    return error if isinstance(error, errors.Error) else None
