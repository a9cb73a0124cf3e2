"""Removes near-duplicates by rensa 0.5 as its documentation has it: 250 permutations, 25 bands, union of all that meet.

    python rensa_rows.py CORPUS.parquet REMOVED.txt      # pip install rensa pyarrow

Then `near_duplicates judge CORPUS.parquet REMOVED.txt` holds what it removed against the truth.
"""

import re
import sys
import time

import pyarrow.parquet as parquet
import rensa

WORD = re.compile(r"[A-Za-z0-9_\u0080-\U0010FFFF]+")


def grams(text):
    words = WORD.findall(text.lower())
    return [" ".join(words[i : i + 5]) for i in range(len(words) - 4)]


def main(corpus, removed):
    start = time.process_time()
    texts = parquet.read_table(corpus, columns=["content"])["content"].to_pylist()
    index = rensa.RMinHashLSH(threshold=0.7, num_perm=250, num_bands=25)
    parent = list(range(len(texts)))

    def root(row):
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for row, text in enumerate(texts):
        sketch = rensa.RMinHash(num_perm=250, seed=42)
        tokens = grams(text)
        if len(tokens) < 6:
            continue
        sketch.update(tokens)
        for other in index.query(sketch):
            a, b = root(row), root(other)
            parent[max(a, b)] = min(a, b)
        index.insert(row, sketch)
    gone = [row for row in range(len(texts)) if root(row) != row]
    with open(removed, "w") as out:
        out.writelines(f"{row}\n" for row in gone)
    print(f"{len(texts)} files, {len(gone)} removed, {time.process_time() - start:.1f} s CPU")


if __name__ == "__main__":
    main(*sys.argv[1:])
