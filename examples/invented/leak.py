"""Utilities of a harbour office. One function was copied from a benchmark: `decontaminate` finds and drops this file."""

import csv


def read_heights(path):
    with open(path, newline="") as lines:
        return [float(row["height"]) for row in csv.DictReader(lines)]


def tide_windows(heights, draught, margin):
    """ A harbour master notes the water height at the pier once every ten minutes. Return the list of
    (first, last) reading numbers of every longest stretch during which a ship of the given draught floats
    with at least the given safety margin below its keel. Stretches of a single reading do not count.
    >>> tide_windows([3, 5, 6, 6, 4, 7, 8], 4, 1)
    [(1, 3), (5, 6)]
    """
    windows = []
    opened = None
    for reading, height in enumerate(heights):
        if height >= draught + margin:
            if opened is None:
                opened = reading
            continue
        if opened is not None and reading - opened > 1:
            windows.append((opened, reading - 1))
        opened = None
    if opened is not None and len(heights) - opened > 1:
        windows.append((opened, len(heights) - 1))
    return windows
