"""The command `stackmill`: the same program as the Rust binary, inside this interpreter."""

from __future__ import annotations

import signal
import sys

from stackmill import _stackmill


def main() -> int:
    """Does what the command line says; gives the exit code."""
    # Signals are the program's own business, as in the binary.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _stackmill.main(["stackmill", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
