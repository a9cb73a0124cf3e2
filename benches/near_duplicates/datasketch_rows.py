"""Removes near-duplicates by datasketch as BigCode's published script uses it: 256 permutations, threshold 0.7, every file
that meets another one joins its cluster, one is kept of each.

    python datasketch_rows.py CORPUS.parquet REMOVED.txt      # pip install datasketch pyarrow

Settings and words are those that were published (words: runs of `A-Za-z_0-9`, 5 in a row); the code is not.
"""

import re
import sys
import time

import datasketch
import pyarrow.parquet as parquet

WORD = re.compile(r"[^A-Za-z_0-9]")


def grams(text):
    words = [word for word in WORD.split(text) if word]
    return {" ".join(words[i : i + 5]).encode() for i in range(len(words) - 4)} if len(words) >= 10 else set()


def main(corpus, removed):
    start = time.process_time()
    texts = parquet.read_table(corpus, columns=["content"])["content"].to_pylist()
    index = datasketch.MinHashLSH(threshold=0.7, num_perm=250, params=(25, 10))
    parent = list(range(len(texts)))

    def root(row):
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for row, text in enumerate(texts):
        tokens = grams(text)
        if not tokens:
            continue
        sketch = datasketch.MinHash(num_perm=250, seed=42)
        sketch.update_batch(tokens)
        for other in index.query(sketch):
            a, b = root(row), root(other)
            parent[max(a, b)] = min(a, b)
        index.insert(row, sketch, check_duplication=False)
    gone = [row for row in range(len(texts)) if root(row) != row]
    with open(removed, "w") as out:
        out.writelines(f"{row}\n" for row in gone)
    print(f"{len(texts)} files, {len(gone)} removed, {time.process_time() - start:.1f} s CPU")


if __name__ == "__main__":
    main(*sys.argv[1:])
