"""Presets for issues, pull requests and commits against an independent reading of the originals (`social.py`), rule by rule.

Which of a share is dropped is a matter of chance there: here all of it is dropped, so that the rule itself is compared.
With STACKMILL_BLESS=1 the counts are written to `record.json`, from which docs/reference/presets.md is made.
"""

from __future__ import annotations

import json
import os
import re
import pathlib

import pyarrow
import pyarrow.parquet
import pytest
import social
from test_presets import RECORD, rules_of, run

SPAN = "the last change may end elsewhere: the longest common block decides there, the common end of both files here"
DATA = "which files of JSON and YAML are written is chosen by hash here, by a generator of random numbers there"
CASE = "extensions are told by the whole path there, in their case; here by the name, in any case"
LINES = "Python's `splitlines` cuts at form feeds and other separators too"


def table(preset: str) -> dict:
    presets = json.loads(run("list", "presets", "--json"))
    return next(entry["rules"] for entry in presets if entry["name"] == preset)


def told(preset: str, source: str, folder: pathlib.Path, sampled: set[str], *more: str) -> dict[tuple[str, str], set[str]]:
    """By revision and path: the rules that drop the row."""
    lines = [f'preset = "{preset}"', "compat = true", 'explain = "all"']
    lines += [f"{rule} = {{ drop-share = 1.0 }}" for rule in sorted(sampled)] + list(more)
    recipe = folder / "recipe.toml"
    recipe.write_text(
        f'name = "golden"\nexact = false\n[[source]]\n{source}\n[rules]\n' + "\n".join(lines) + "\n"
    )
    run("run", str(recipe), "--out", str(folder / "out"), "--memory", "1G", "--threads", "2")
    rows = pyarrow.parquet.read_table(folder / "out/ledger").to_pylist()
    assert {row["stage"] for row in rows} <= {None, "rules"}
    return {(row["revision_id"], row["path"]): rules_of(row) for row in rows}


def compare(preset: str, verdicts: dict, rows: dict, dropped: dict, reason) -> None:
    counts = {rule: {"files": 0, "same": 0, "dropped": 0, "reasons": {}} for rule in verdicts}
    whole = {"files": 0, "same": 0, "kept": 0}
    unexplained = []
    assert rows.keys() == dropped.keys() and len(rows) >= 2000
    for key, row in rows.items():
        theirs = {rule for rule, verdict in verdicts.items() if verdict(row)}
        whole["files"] += 1
        whole["same"] += (not theirs) == (not dropped[key])
        whole["kept"] += not theirs
        for rule, count in counts.items():
            count["files"] += 1
            count["dropped"] += rule in theirs
            if (rule in theirs) == (rule in dropped[key]):
                count["same"] += 1
            elif why := reason(rule, row):
                count["reasons"][why] = count["reasons"].get(why, 0) + 1
            else:
                unexplained.append(f"{rule}: {key}: {'dropped' if rule in theirs else 'kept'} there")
    assert not unexplained, "\n".join(unexplained[:20])
    for rule, count in counts.items():
        assert count["same"] >= 0.99 * count["files"] and count["dropped"] > 0, (rule, count)
    if os.environ.get("STACKMILL_BLESS") == "1":
        record = json.loads(RECORD.read_text())
        record[preset] = {"files": len(rows), "whole": whole, "rules": counts}
        RECORD.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def written(rows: list[dict], kind: str, folder: pathlib.Path) -> str:
    """Rows with a list of events: as structs of Parquet, as objects of JSON, or these in a text."""
    if kind == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "rows.parquet", row_group_size=700)
        return 'parquet = "rows.parquet"'
    if kind == "text":
        rows = [{**row, "events": json.dumps(row["events"])} for row in rows]
    social.lines(rows, folder / "rows.jsonl")
    return 'jsonl = "rows.jsonl"'


@pytest.mark.parametrize("preset", ["starcoderdata-issues", "stack-v2-issues"])
@pytest.mark.parametrize("kind", ["jsonl", "text", "parquet"])
def test_issues(preset, kind, tmp_path):
    found = social.issue_rows()
    source = f'{written(found, kind, tmp_path)}\nformat = "github-issues"\nconversation = {{ compat = true }}'
    dropped = told(preset, source, tmp_path, set())
    issues = {(str(row["issue_id"]), f"issues/{row['issue_number']}"): social.Issue(row) for row in found}
    compare(preset, social.ISSUES, issues, dropped, lambda rule, issue: None)
    corpus = pyarrow.parquet.read_table(tmp_path / "out/corpus", columns=["revision_id", "path", "content"]).to_pylist()
    kept = [key for key in dropped if not dropped[key]]
    assert len(corpus) == len(kept) > 500
    for row in corpus:
        assert row["content"] == issues[row["revision_id"], row["path"]].content(), row["path"]


@pytest.mark.parametrize("kind", ["jsonl", "text", "parquet"])
def test_pull_requests(kind, tmp_path):
    found = social.pull_rows()
    source = f'{written(found, kind, tmp_path)}\nformat = "github-pull-requests"\n'
    source += "conversation = { compat = true }\nchange = { whole = 1.0 }"
    # Which pull requests of a repository stay is a matter of chance, and the length of all is one of hunks.
    off = ("pull-share = { first = 1.0, last = 1.0 , limit = 1000000 }", "character-count = false", "license = false")
    dropped = told("stack-v2-pull-requests", source, tmp_path, set(), *off)
    keys = {path: (revision, path) for revision, path in dropped}
    pulls = {keys[f"pull/{row['pull_request.guid'].rsplit('/', 1)[1]}"]: social.Pull(row) for row in found}

    def reason(rule: str, pull: social.Pull) -> str | None:
        return DATA if rule == "pull-state" and has_data(pull) else None

    compare("stack-v2-pull-requests", social.PULLS, pulls, dropped, reason)
    corpus = pyarrow.parquet.read_table(tmp_path / "out/corpus", columns=["path", "content"]).to_pylist()
    assert len(corpus) == sum(not rules for rules in dropped.values()) > 200
    for row in corpus:
        pull = pulls[keys[row["path"]]]
        without_hunks = re.sub(r"(<pr_diff_hunk>)@@.*?(?=<pr_|<pr>|\Z)", r"\1", row["content"], flags=re.DOTALL)
        marks = any("<pr" in (file["base_content"] + file["head_content"]) for file in pull.files)
        assert marks or has_data(pull) or without_hunks == pull.content(), row["path"]


def has_data(pull: social.Pull) -> bool:
    return any(file["base_language"] in ("JSON", "YAML") for file in pull.files)


def test_commits(tmp_path):
    found = social.commit_rows()
    social.lines(found, tmp_path / "commits.jsonl")
    source = 'jsonl = "commits.jsonl"\nformat = "commitpack"\nchange = { whole = 1.0 }'
    on = table("starcoderdata-commits")
    dropped = told("starcoderdata-commits", source, tmp_path, {"change-lines", "subject-words", "extension"})
    rows = {(row["commit"], row["new_file"]): social.Commit(row) for row in found}

    def reason(rule: str, commit: social.Commit) -> str | None:
        texts = commit.row["old_contents"] + commit.row["new_contents"]
        name = commit.row["old_file"].rsplit("/", 1)[-1]
        if rule == "change-lines":
            return LINES if any(sign in texts for sign in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029") else SPAN
        is_plain = "." in name[1:] and commit.extension == commit.extension.lower()
        return CASE if rule in ("allowed-extension", "extension") and not is_plain else None

    compare("starcoderdata-commits", social.commits(set(on["allowed-extension"]["allow"])), rows, dropped, reason)
    corpus = pyarrow.parquet.read_table(tmp_path / "out/corpus").to_pylist()
    assert len(corpus) == sum(not rules for rules in dropped.values()) > 100
    for row in corpus:
        commit = rows[row["revision_id"], row["path"]].row
        parts = (commit["old_contents"], commit["subject"], commit["new_contents"])
        assert row["content"] == "<commit_before>{}<commit_msg>{}<commit_after>{}".format(*parts)
        assert row["repo_name"] == commit["repos"].split(",")[0]
