"""Keeps Spark's Python workers from reading the archives on their path again before every task."""

from __future__ import annotations

import os
import sys
import zipimport


def read_once() -> None:
    """From now on, this process reads an archive on its path again only if the file has changed.

    Before each task, PySpark calls `importlib.invalidate_caches()`, so that modules shipped since are found. Up to
    CPython 3.12, an importer of a zip file answers by reading the archive's whole directory, and Spark's own
    `pyspark.zip` has some sixteen importers, one a folder: a tenth of a second of processor time, more than everything
    else that a task costs. Importers that appear later are treated by the next call.
    """
    for finder in list(sys.path_importer_cache.values()):
        if isinstance(finder, zipimport.zipimporter) and "invalidate_caches" not in vars(finder):
            vars(finder)["invalidate_caches"] = _Changed(finder)


class _Changed:
    """Stands for `invalidate_caches` of one importer."""

    def __init__(self, finder: zipimport.zipimporter) -> None:
        self.archive = finder.archive
        self.reread = finder.invalidate_caches
        self.known = _stamp(self.archive)

    def __call__(self) -> None:
        stamp = _stamp(self.archive)
        if stamp is None or stamp != self.known:
            self.known = stamp
            self.reread()


def _stamp(archive: str) -> tuple[int, int, int] | None:
    try:
        about = os.stat(archive)
    except OSError:
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns
