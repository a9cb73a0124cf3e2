"""Removes near-duplicates by text-dedup 0.4.1 with the MinHash settings of its documentation, false positives checked.

    python text_dedup_rows.py CORPUS.parquet REMOVED.txt     # pip install of its repository, and pyarrow
"""

import os
import shutil
import subprocess
import sys
import tempfile

import datasets
import pyarrow.parquet as parquet

CONFIG = """
[input]
input_type = "local_files"
file_type = "parquet"
[input.read_arguments]
path = "{folder}/data"
split = "train"
[algorithm]
algorithm_name = "minhash"
text_column = "content"
seed = 42
batch_size = 10000
num_perm = 240
threshold = 0.7
false_positive_weight = 0.5
false_negative_weight = 0.5
hash_bits = 64
ngram_size = 5
check_false_positive = true
[output]
output_dir = "{folder}/out"
clean_cache = false
save_clusters = true
[debug]
enable_profiling = false
"""


def main(corpus, removed):
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f"{folder}/data")
        shutil.copy(corpus, f"{folder}/data/corpus.parquet")
        with open(f"{folder}/config.toml", "w") as to:
            to.write(CONFIG.format(folder=folder))
        subprocess.run([sys.executable, "-m", "text_dedup.minhash"], cwd=folder, check=True)
        kept = set(datasets.load_from_disk(f"{folder}/out")["row"])
    total = parquet.read_metadata(corpus).num_rows
    with open(removed, "w") as to:
        to.writelines(f"{row}\n" for row in range(total) if row not in kept)


if __name__ == "__main__":
    main(*sys.argv[1:])
