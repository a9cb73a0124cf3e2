"""Runs BigCode's `near_deduplication/minhash_deduplication.py` as it is on one Parquet file, and writes what it removed.

    python bigcode_rows.py CORPUS.parquet REMOVED.txt SCRIPT     # pip install datasets numpy scipy typer tqdm pyarrow

SCRIPT is of the repository `bigcode-project/bigcode-dataset`, with its own defaults: 5-grams, 256 permutations, threshold
0.7. All that is put in its place is what it loads: the file instead of a data set of the hub.
"""

import os
import runpy
import sys
import tempfile

import datasets
import pyarrow.parquet as parquet

OPTIONS = {"data_dir", "revision", "use_auth_token"}


def main(corpus, removed, script):
    load = datasets.load_dataset

    def local(_name, _config, **options):
        options = {name: value for name, value in options.items() if name not in OPTIONS}
        # A process reads whole files, of which there is one.
        return load("parquet", data_files={"train": corpus}, **options | {"num_proc": None})

    corpus, removed = os.path.abspath(corpus), os.path.abspath(removed)
    datasets.load_dataset = local
    with tempfile.TemporaryDirectory() as folder:
        sys.argv = [script, "--cache-dir", f"{folder}/cache", "--output", f"{folder}/out"]
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise
        kept = set(datasets.load_from_disk(f"{folder}/out/deduplicated")["row"])
    total = parquet.read_metadata(corpus).num_rows
    with open(removed, "w") as out:
        out.writelines(f"{row}\n" for row in range(total) if row not in kept)
    print(f"{total} files, {total - len(kept)} removed")


if __name__ == "__main__":
    main(*sys.argv[1:])
