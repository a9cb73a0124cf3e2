"""The rule `classifier` against fastText itself: models trained here on invented text, the same verdicts on other text."""

from __future__ import annotations

import random
import subprocess

import fasttext
import pyarrow.parquet
import pytest
from test_presets import PROGRAM

GOOD = "loop array sort tree graph proof lemma recursion größe stack queue heap".split()
BAD = "buy cheap click now offer winner free bonus größer prize deal sale".split()


def sentence(dice: random.Random, words: list[str]) -> str:
    mixed = [dice.choice(words if dice.random() < 0.8 else GOOD + BAD) for _ in range(dice.randint(3, 12))]
    return " ".join(mixed)


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "softmax"},
        {"loss": "softmax", "wordNgrams": 3, "minn": 2, "maxn": 4, "bucket": 5000},
        {"loss": "hs", "wordNgrams": 2, "bucket": 1000},
        {"loss": "ova", "minn": 3, "maxn": 3, "bucket": 1000},
        {"loss": "ns", "wordNgrams": 2, "bucket": 1000},
    ],
)
def test_verdicts_are_those_of_fasttext(settings, tmp_path):
    dice = random.Random(7)
    labels = {"good": GOOD, "bad": BAD, "mixed": GOOD + BAD}
    training = tmp_path / "training.txt"
    lines = [f"__label__{name} {sentence(dice, words)}\n" for _ in range(150) for name, words in labels.items()]
    training.write_text("".join(lines))
    model = fasttext.train_supervised(str(training), dim=8, epoch=5, thread=1, verbose=0, **settings)
    model.save_model(str(tmp_path / "model.bin"))

    files = tmp_path / "files"
    files.mkdir()
    texts = [f"{sentence(dice, GOOD + BAD)}\n{sentence(dice, GOOD)} unheard of\n" for _ in range(300)]
    for number, text in enumerate(texts):
        (files / f"{number}.txt").write_text(text)
    (tmp_path / "recipe.toml").write_text(
        'name = "judged"\nexact = false\n[[source]]\ndirectory = "files"\n'
        '[rules]\nclassifier = { model = "model.bin", label = "good", minimum = 1.0 }\n'
    )
    ran = subprocess.run(
        [PROGRAM, "run", tmp_path / "recipe.toml", "--out", tmp_path / "out", "--memory", "1G"],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    rows = pyarrow.parquet.read_table(tmp_path / "out/ledger").to_pylist()
    found = {row["path"]: float(row["value"]) for row in rows if row["rule"] == "classifier"}
    assert len(found) > 250

    # It rounds sigmoids to a table of 512 entries for two of its losses, and adds 1e-5 to every probability.
    allowed = 1e-2 if settings["loss"] in ("ova", "ns") else 1e-4
    for path, ours in found.items():
        text = texts[int(path.removesuffix(".txt"))].replace("\n", " ")
        theirs = predicted(model, text)["__label__good"]
        assert abs(ours - theirs) < allowed, (path, ours, theirs)


def predicted(model, text: str) -> dict[str, float]:
    """Without the wrapper's own arrays, which newer versions of numpy refuse."""
    return {label: probability for probability, label in model.f.predict(text + "\n", 3, -1.0, "strict")}


def test_a_quantised_model_is_refused(tmp_path):
    training = tmp_path / "training.txt"
    words = " ".join(f"word{number}" for number in range(300))  # fewer rows than 256 cannot be quantised
    training.write_text(f"__label__a {words}\n__label__b {words}\n" * 5)
    model = fasttext.train_supervised(str(training), dim=8, epoch=1, thread=1, verbose=0)
    model.quantize(input=str(training), retrain=False)
    model.save_model(str(tmp_path / "model.ftz"))
    (tmp_path / "recipe.toml").write_text(
        'name = "judged"\n[[source]]\ndirectory = "."\n[rules]\nclassifier = { model = "model.ftz", label = "a" }\n'
    )
    ran = subprocess.run([PROGRAM, "check", tmp_path / "recipe.toml", "--json"], capture_output=True, text=True)
    assert ran.returncode != 0
    assert "quantised" in ran.stderr
