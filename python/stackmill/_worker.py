"""A parse worker: started by this file's path, without site-packages, so that it maps no more than it needs."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import _stackmill  # type: ignore[import-not-found]  # noqa: E402  (found through the line above)

_stackmill.serve()
