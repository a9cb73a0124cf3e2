"""Removes near-duplicates by datatrove 0.10 as its example has it (14 bands of 8, 5-grams of words), in four stages.

    python datatrove_rows.py CORPUS.parquet REMOVED.txt      # pip install "datatrove[io,processing]" spacy pyarrow
"""

import json
import os
import sys
import tempfile

import pyarrow.parquet as parquet
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
)
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers.jsonl import JsonlWriter
from datatrove.utils.hashing import HashConfig
from datatrove.utils.typeshelper import Languages


def main(corpus, removed):
    config = MinhashConfig(
        hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8, n_grams=5
    )
    corpus = os.path.abspath(corpus)
    with tempfile.TemporaryDirectory() as folder:
        signatures, buckets, gone = (f"{folder}/{name}" for name in ("signatures", "buckets", "gone"))
        out = f"{folder}/out"

        def reader():
            place, name = os.path.split(corpus)
            return ParquetReader(place, glob_pattern=name, text_key="content", id_key="row")

        stages = [
            (1, [reader(), MinhashDedupSignature(signatures, config=config, language=Languages.english)]),
            (config.num_buckets, [MinhashDedupBuckets(signatures, buckets, config=config)]),
            (1, [MinhashDedupCluster(buckets, gone, config=config)]),
            (1, [reader(), MinhashDedupFilter(gone), JsonlWriter(out, compression=None)]),
        ]
        for number, (tasks, pipeline) in enumerate(stages):
            LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=f"{folder}/log{number}").run()
        kept = set()
        for name in os.listdir(out):
            with open(f"{out}/{name}") as lines:
                # The writer leaves out what counts as false: the id of row 0.
                kept.update(int(json.loads(line).get("id", 0)) for line in lines)
    total = parquet.read_metadata(corpus).num_rows
    with open(removed, "w") as to:
        to.writelines(f"{row}\n" for row in range(total) if row not in kept)


if __name__ == "__main__":
    main(*sys.argv[1:])
