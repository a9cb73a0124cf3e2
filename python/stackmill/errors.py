"""Exceptions: one class for each kind of error, with the hint that the command line would print."""

from __future__ import annotations

from collections.abc import Sequence


class Error(Exception):
    """What every exception of stackmill is.

    Attributes:
        message: the cause alone.
        kind: `config`, `schema`, `input`, `source`, `io`, `resource`, `interrupted` or `bug`.
        hint: what you can do about it, where that is known.
        context: where it happened, the outermost place first.
        transient: whether trying again may help.
        exit_code: what the command line would have ended with.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "bug",
        hint: str | None = None,
        context: Sequence[str] = (),
        transient: bool = False,
        exit_code: int = 1,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.hint = hint
        self.context = tuple(context)
        self.transient = transient
        self.exit_code = exit_code

    def __str__(self) -> str:
        place = f"\n  in {', '.join(self.context)}" if self.context else ""
        hint = f"\n\nhint: {self.hint}" if self.hint else ""
        return f"{self.message}{place}{hint}"


class ConfigError(Error):
    """A recipe or an argument says something that makes no sense."""


class SchemaError(Error):
    """Columns do not fit together."""


class InputError(Error):
    """Input on this machine is missing, damaged, or not what the lock says."""


class SourceError(Error):
    """A source elsewhere cannot be reached."""


class IoError(Error):
    """The local file system refused."""


class ResourceError(Error):
    """A budget (memory, scratch) or the disk is used up."""


class Interrupted(Error, KeyboardInterrupt):
    """Somebody asked to stop; the same call again resumes."""


class BugError(Error):
    """Our own mistake."""
