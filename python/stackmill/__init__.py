"""stackmill: git repositories in, corpora for code models out; every file accounted for.

- Whole runs: `run`, `plan`, `check`, `explain`, `verify`, `status`.
- Single stages over tables of pyarrow, polars, pandas or Hugging Face: `language`, `license`, `rules`, `tokens`, …
- Duplicates of tables and files, without a recipe: `dedup`.
- For engines: `Recipe`, with every Map and Exchange over record batches.
"""

import os as _os
import sys as _sys

from stackmill import _stackmill
from stackmill.duplicates import Duplicates, dedup
from stackmill.engine import Exchange, Map, Recipe
from stackmill.errors import (
    BugError,
    ConfigError,
    Error,
    InputError,
    Interrupted,
    IoError,
    ResourceError,
    SchemaError,
    SourceError,
)
from stackmill.runs import (
    Manifest,
    Progress,
    check,
    explain,
    list_benchmarks,
    list_rules,
    plan,
    run,
    status,
    verify,
)
from stackmill.stages import (
    contamination,
    decode,
    exact_duplicates,
    flags,
    kept,
    language,
    license,
    near_duplicates,
    redact,
    rules,
    sketch,
    tokens,
)

__version__ = _stackmill.__version__
__all__ = [
    "BugError",
    "ConfigError",
    "Duplicates",
    "Error",
    "Exchange",
    "InputError",
    "Interrupted",
    "IoError",
    "Manifest",
    "Map",
    "Progress",
    "Recipe",
    "ResourceError",
    "SchemaError",
    "SourceError",
    "check",
    "contamination",
    "decode",
    "dedup",
    "exact_duplicates",
    "explain",
    "flags",
    "kept",
    "language",
    "license",
    "list_benchmarks",
    "list_rules",
    "near_duplicates",
    "plan",
    "redact",
    "rules",
    "run",
    "sketch",
    "status",
    "tokens",
    "verify",
]

# The binary starts itself as a parse worker; here that is the interpreter, without the user's environment.
_stackmill.set_worker(
    _sys.executable or "/proc/self/exe",
    ["-I", "-S", _os.path.join(_os.path.dirname(_os.path.abspath(__file__)), "_worker.py")],
)
