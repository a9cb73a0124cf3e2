"""Removes near-duplicates by duplodocus (`minhash-memory`, its README's command): JSON lines with zstd in and out.

    python duplodocus_rows.py CORPUS.parquet REMOVED.txt PROGRAM     # pip install zstandard pyarrow

Its input is made beforehand and not counted: `seconds` at the end is the processor time of the program alone.
"""

import io
import json
import os
import resource
import subprocess
import sys
import tempfile

import pyarrow.parquet as parquet
import zstandard

#: Files of input, as many as there are tasks for four threads.
PARTS = 8


def write(corpus, folder):
    rows = parquet.read_table(corpus, columns=["row", "content"]).to_pylist()
    for part in range(PARTS):
        with open(f"{folder}/part-{part}.jsonl.zst", "wb") as to, zstandard.open(to, "wt") as lines:
            for row in rows[part::PARTS]:
                lines.write(json.dumps({"id": row["row"], "text": row["content"]}) + "\n")
    return len(rows)


def main(corpus, removed, program):
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f"{folder}/in")
        total = write(corpus, f"{folder}/in")
        command = [program, "minhash-memory", "--input-dir", f"{folder}/in", "--storage-dir", f"{folder}/work"]
        command += ["--output-dir", f"{folder}/out", "--text-key", "text", "--tokenizer", "uniseg"]
        command += ["--num-buckets", "25", "--bucket-size", "10", "--ngram-size", "5", "--remove-duplicates", "true"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        kept = set()
        for place, _, names in os.walk(f"{folder}/out"):
            for name in names:
                with open(f"{place}/{name}", "rb") as file:
                    lines = zstandard.ZstdDecompressor().stream_reader(file) if name.endswith(".zst") else file
                    kept.update(json.loads(line)["id"] for line in io.TextIOWrapper(lines, encoding="utf-8"))
    with open(removed, "w") as to:
        to.writelines(f"{row}\n" for row in range(total) if row not in kept)
    print(f"seconds {used.ru_utime + used.ru_stime:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
