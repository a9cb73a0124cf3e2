"""Issues, pull requests and commits: what the published recipes say of one row, read once more and independently, and rows to try it on.

No line of stackmill's, and none of the originals'. Rows of issues and pull requests are generated with a seed out of messages
and changes of this repository's history, since the data sets are gated or were never published; rows of commits are that history, and the same changes under generated
messages. Other histories can be named in STACKMILL_HISTORIES, separated by colons.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import pathlib
import random
import re
import subprocess
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]

# --- Issues, read once more

BOTS = set(
    "Apache-HBase AutorestCI CLAassistant cmsbuild codecov-io codecov-commenter coveralls danger-public dnfclas msftclas "
    "PyDocTeur SparkQA karma-pr-reporter claassistantio probot-stale".split()
)
BOT = re.compile(
    r"\[bot\]|botmanager|bors-|jenkins|k8s-|-test-|travis"
    r"|(-automaton|-automation|-benchmark|-build|-deployer|-cloud|bot|-ci|-linter|-teamcity|-test|-testing)\Z"
)
MAIL = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"(.*)From:.+Reply to this email directly.+view it on GitHub(.*)\n?(.*)",
        r"(.*)On.+notifications@github.com.+wrote:.+Reply to this email directly.+view it on GitHub(.*)\n?(.*)",
        r"(.*)Signed-off-by: .+<.+>(.*?)\n?(.*)",
    )
]
DATE = re.compile(r"\d+/\d+/\d+ \d{2}:\d{2} [AP]M.+wrote")


def without_mail(text: str) -> str:
    text = text.strip()
    fits = next(filter(None, (pattern.match(text) for pattern in MAIL)), None)
    if fits:
        text = fits[1] + fits[3]
    else:
        lines = text.split("\n")
        bare = [line.strip() for line in lines]
        heads = [i for i, line in enumerate(bare) if "notifications@github.com" in line or DATE.search(line)]
        ends = [-1]
        for i, line in enumerate(bare):
            if "Reply to this email directly" in line:
                ends.append(i + line.endswith(":"))
            if line.startswith(">"):
                ends.append(i)
        text = "\n".join(lines[: heads[-1] if heads else 0] + lines[ends[-1] + 1 :])
    return re.sub("_{20,}", "", text).strip()


def shortened(text: str, mark: str = "[Truncated]") -> str:
    lines = text.split("\n")
    return text if len(lines) <= 80 else "\n".join([*lines[:60], mark, *lines[-20:]])


def masked(text: str, users: list[str]) -> str:
    """The names of users where they stand alone; `-` and `_` may be around them."""
    known = {name: f"username_{i}" for i, name in enumerate(users)}
    return re.sub(r"(?<![^\W_])[^\W_](?:[\w-]*[^\W_])?", lambda name: known.get(name[0], name[0]), text)


def is_bot(author: str) -> bool:
    return author in BOTS or bool(BOT.search(author.lower()))


@dataclass
class Issue:
    """What is left of an issue, and what is counted of it."""

    row: dict
    said: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        events = [
            (event["author"], shortened(without_mail(event["comment"] or event["description"] or "")), event["action"])
            for event in self.row["events"]
        ]
        before = 0
        for i, event in enumerate(events):
            if not is_bot(event[0]):
                self.said.append(event)
                continue
            if 0 < before < i - 1 and (event[0] in events[i - 1][1] or events[i - 1][1].startswith("/")):
                self.said.pop()
            before = i

    @property
    def characters(self) -> int:
        return sum(len(text) for _, text, _ in self.said)

    @property
    def users(self) -> list[str]:
        return list(dict.fromkeys(author for author, _, _ in self.said))

    def masked(self, text: str) -> str:
        return masked(text, self.users)

    def content(self) -> str:
        title = next((event["title"] for event in self.row["events"] if event["title"]), "")
        out, mark = f"<issue_start>Title: {self.masked(title)}", "\n"
        for author, text, action in self.said:
            if action == "closed":
                out, mark = out + "<issue_closed>", "<issue_comment>"
            if text:
                out += f"{mark}username_{self.users.index(author)}: {self.masked(text)}"
                mark = "<issue_comment>"
        return out


ISSUES = {
    "conversation-size": lambda issue: issue.characters < 200,
    "conversation-users": lambda issue: (
        len(issue.users) < 2 and not (issue.characters <= 7000 and len(issue.said) <= 10)
    ),
}

# --- Pull requests, read once more

DOCUMENTS = {"Markdown", "reStructuredText", "RMarkdown", "RDoc", "AsciiDoc"}
ENGLISH = re.compile(r"\s+(the|be|to|of|and|that|have|with)\s+")


def is_written(file: dict) -> bool:
    """What the paper and its code say of a file of the base."""
    before, after, language = file["base_content"], file["head_content"], file["base_language"]
    if before is None or after is None or before == after or not 0 < len(before) <= 1_000_000:
        return False
    lines = [len(line) for line in before.splitlines()]
    return (
        sum(sign.isalnum() for sign in before) / len(before) >= 0.25
        and before.count("\\x") * 2 / len(before) <= 0.25
        and len(lines) <= 100_000
        and (language in DOCUMENTS or (sum(lines) / len(lines) <= 100 and max(lines) <= 1000))
        and (language != "Markdown" or bool(ENGLISH.search(before)))
    )


@dataclass
class Pull:
    """A pull request, and what is measured of it."""

    row: dict

    @property
    def events(self) -> list[dict]:
        return self.row["events"]

    @property
    def people(self) -> list[dict]:
        return [event for event in self.events if not event["actor.is_bot"]]

    @property
    def first(self) -> int:
        pulls = [i for i, event in enumerate(self.events) if event["type"] == "PullRequestEvent"]
        return next((i for i in pulls if self.events[i]["action"] == "opened"), pulls[0])

    @property
    def title(self) -> str:
        return self.events[self.first]["title"] or ""

    @property
    def files(self) -> list[dict]:
        return [file for file in self.row["head_base_files"] if is_written(file)]

    def visible(self, event: dict) -> str:
        text = without_mail(event["text"] or "")
        return "".join(part.rsplit("-->", 1)[-1] if "-->" in part or i == 0 else "" for i, part in enumerate(text.split("<!--")))

    def is_refused(self) -> bool:
        merged = any(event["pull_request.merged"] for event in self.events)
        bases = {event["base_commit_id"] for event in self.events} - {None}
        return (
            any(event["type"] == "PullRequestEvent" and event["action"] == "opened" and event["actor.is_bot"] for event in self.events)
            or not (merged or any(event["review.state"] == "approved" for event in self.events))
            or len(bases) - 1 - merged > 0
            or not any(event["type"] != "PullRequestEvent" for event in self.people)
            or not self.files
        )

    # What is written, without hunks.

    def text(self, event: dict, least: int) -> str | None:
        text = without_mail(event["text"] or "")
        if "Qwiet" in text:
            return None
        if "codecov" in text.lower():
            return "[OMITTED]CodeCov"
        text = shortened(self.visible(event), "[TRUNCATED]")
        return masked(text[:1000], self.users) if len(text) >= least else None

    @property
    def users(self) -> list[str]:
        return list(dict.fromkeys(event["actor.login"] for event in self.people))

    def said(self, event: dict, mark: str, text: str | None) -> str:
        login = event["actor.login"]
        name = f"username_{self.users.index(login)}" if login in self.users else login
        return mark + name + (f": {text}" if text else "")

    def headed(self, event: dict, opens: bool) -> str | None:
        text = self.text(event, 0 if opens else 20)
        title = event["title"] or ""
        if not opens and (len(title) < 10 or text is None):
            return None
        return self.said(event, f"<pr>Title: {masked(title[:500], self.users)}\n", text)

    def content(self) -> str:
        out = self.headed(self.events[self.first], True) + f"<pr_status>opened<repo_name>{self.row['repo_name']}<pr_base>"
        out += "".join(f"<pr_file>{file['base_path']}<pr_base_code>{lines_of(file)}" for file in self.files)
        out += "<pr_diff>" + "".join(f"<pr_file>{file['base_path']}<pr_diff_hunk>" for file in self.files)
        for event in self.events[self.first + 1 :]:
            if not event["actor.is_bot"]:
                out += self.turn(event)
        return out

    def turn(self, event: dict) -> str:
        kind, action = event["type"], event["action"]
        if kind == "PullRequestEvent":
            head = self.headed(event, False) if action in ("edited", "opened", "reopened") else self.said(event, "<pr>", None)
            merged = f"<pr_is_merged>{event['pull_request.merged'] is True}" if action == "closed" else ""
            return f"{head}<pr_status>{action}{merged}" if head else ""
        if kind == "PullRequestReviewEvent":
            state = f"<pr_event_id>{event['review_comment.id']}<pr_review_state>{event['review.state']}"
            return self.said(event, "<pr_review>", self.text(event, 1)) + state
        text = self.text(event, 20)
        if text is None:
            return ""
        if kind == "IssueCommentEvent":
            return self.said(event, "<pr_comment>", text) + f"<pr_event_id>{event['comment_id']}"
        reply = event["comment.in_reply_to_id"]
        return (
            f"<pr_review_comment><pr_event_id>{event['review_comment.id']}"
            + (f"<pr_in_reply_to_comment_id>{reply}" if reply else "")
            + f"<pr_file>{event['comment.path']}<pr_diff_hunk_comment_line>{event['comment.original_position']}<pr_diff_hunk>"
            + self.said(event, "<pr_comment>", text)
        )


def lines_of(file: dict) -> str:
    return "\n".join(re.split("\r\n|\r|\n", re.sub("(\r\n|\r|\n)\\Z", "", file["base_content"])))


PULLS = {
    "pull-state": Pull.is_refused,
    "pull-title": lambda pull: len(pull.title) < 10 or any(word in pull.title.lower() for word in ("depend", "release")),
    "pull-description": lambda pull: (
        len(pull.visible(pull.events[pull.first])) < 20 or "Qwiet" in without_mail(pull.events[pull.first]["text"] or "")
    ),
}

# --- Commits, read once more

DATA = {"json", "yml", "xml", "html", "yaml"}
LISTED = {
    "readme", "update", "dummy", "updated", "debug", "test", "update readme", "update readme.md", "updated readme.md",
    "updated readme",
}  # fmt: skip
VERSION = re.compile(r"(?:v)?\d+\.\d+\.\d+(?=$|\S)")


@dataclass
class Commit:
    """One changed file, and what is measured of it."""

    row: dict

    @property
    def subject(self) -> str:
        return self.row["subject"]

    @property
    def extension(self) -> str:
        return self.row["old_file"].split(".")[-1]

    @property
    def last_line(self) -> int:
        """Where the last change ends in the old file: the original counts from the top."""
        texts = (self.row[key].splitlines() for key in ("old_contents", "new_contents"))
        groups = difflib.SequenceMatcher(None, *texts).get_grouped_opcodes()
        return max((end for group in groups for kind, _, end, _, _ in group if kind != "equal"), default=0)


def commits(extensions: set[str]) -> dict:
    names = ("Dockerfile", "Makefile")
    return {
        "change-size": lambda commit: len(commit.row["old_contents"]) >= 100_000 or not commit.row["new_contents"],
        "change-lines": lambda commit: not 2 < commit.last_line < 200,
        "subject-words": lambda commit: len(commit.subject.split()) < 5,
        "subject-word-length": lambda commit: (
            not commit.subject.split()
            or len(commit.subject) / len(commit.subject.split()) > 20
            or (commit.subject.startswith(" ") and len(commit.subject.split()) == 1)
        ),
        "subject-list": lambda commit: (
            commit.subject.lower() in LISTED
            or any(part in commit.subject.lower() for part in ("auto commit", "update contributing", "<?xml"))
        ),
        "subject-version": lambda commit: bool(VERSION.match(commit.subject.lower())),
        "allowed-extension": lambda commit: (
            commit.extension not in extensions and not commit.row["old_file"].endswith(names)
        ),
        "extension": lambda commit: commit.extension in DATA,
    }


# --- Rows


def git(folder: pathlib.Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True).stdout


def histories() -> list[pathlib.Path]:
    named = os.environ.get("STACKMILL_HISTORIES", "")
    return [pathlib.Path(name) for name in named.split(":") if name] or [ROOT]


def changes(folder: pathlib.Path, most: int) -> list[dict]:
    """Files that commits without a second parent change, add or take away, newest first, as CommitPack has them."""
    log = git(folder, "log", "--no-merges", "--no-renames", "--raw", "-z", "--abbrev=40", "--format=%x01%H%x02%s%x02%b%x02", "-n", "20000")
    found: list[tuple[str, ...]] = []
    for entry in log.decode("utf-8", "replace").split("\x01")[1:]:
        commit, subject, body, raw = entry.split("\x02", 3)
        pieces = raw.strip("\0\n").split("\0")
        for about, path in zip(pieces[::2], pieces[1::2], strict=False):
            old_mode, new_mode, old, new, _ = about.strip("\n").lstrip(":").split(" ")
            if {old_mode, new_mode} <= {"000000", "100644", "100755"}:
                found.append((commit, subject, body, old, new, path))
        if len(found) >= most:
            break
    found = found[:most]
    ids = sorted({blob for row in found for blob in row[3:5] if set(blob) != {"0"}})
    batch = subprocess.run(["git", "-C", str(folder), "cat-file", "--batch"], input="\n".join(ids).encode(), capture_output=True)
    texts, rest = {"0" * 40: ""}, batch.stdout
    at = 0
    while at < len(rest):
        end = rest.index(b"\n", at)
        blob, _, length = rest[at:end].decode().split(" ")
        content = rest[end + 1 : end + 1 + int(length)]
        at = end + 2 + int(length)
        try:
            texts[blob] = content.decode()
        except UnicodeDecodeError:
            continue
    return [
        {
            "commit": commit, "old_file": path, "new_file": path, "old_contents": texts[old], "new_contents": texts[new],
            "subject": subject, "message": f"{subject}\n\n{body}", "lang": "", "license": "mit", "repos": f"o/{folder.name},p/q",
        }
        for commit, subject, body, old, new, path in found
        if old in texts and new in texts and max(len(texts[old]), len(texts[new])) < 200_000
    ]  # fmt: skip


def invented(row: dict, dice: random.Random, number: int) -> dict:
    """The same change under another message."""
    words = row["message"].split() or ["x"]
    version = ".".join(str(dice.randrange(120)) for _ in range(dice.choice([2, 3, 3, 3, 4])))
    subject = dice.choice(
        [
            " ".join(dice.choices(words, k=dice.randrange(9))),
            dice.choice(sorted(LISTED)).title(),
            f"{dice.choice(['', 'v', 'V', 'vv'])}{version}{dice.choice(['', ' ', '-rc', ' is out', ': a b c d'])}",
            "".join(dice.choices(words, k=dice.randrange(1, 6))),
            " " + "x" * dice.randrange(25),
            f"{dice.choice(words)} {dice.choice(['auto commit', 'Update CONTRIBUTING', '<?xml'])} {dice.choice(words)}",
            " " * dice.randrange(3) + " ".join("y" * dice.randrange(15, 25) for _ in range(dice.randrange(1, 4))),
        ]
    )
    return {**row, "subject": subject, "commit": hashlib.sha1(str(number).encode()).hexdigest()}


def commit_rows(most: int = 4000) -> list[dict]:
    real = [row for folder in histories() for row in changes(folder, most)]
    dice = random.Random(7)
    return real + [invented(row, dice, i) for i, row in enumerate(real)]


USERS = (
    "ann bob carol dave-x Eve_1 k8s-robot dependabot[bot] codecov-io x-ci Coveralls coveralls a-Service-Account my-test-user "
    "robert Travis-CI bot 李"
).split()
QUOTES = [
    "{a}\n\nFrom: {u}\nSent: today\n\n{b}\n\nReply to this email directly or view it on GitHub: link\n{c}",
    "{a}\n\nOn Monday, {u} <notifications@github.com> wrote:\n{b}\n\nReply to this email directly, or view it on GitHub.\n{c}",
    "{a}\nSigned-off-by: {u} <{u}@example.org>\n{c}",
    "{a}\n1/02/2021 10:11 AM {u} wrote\n> {b}\n{c}",
    "{a}\nask notifications@github.com\n{b}",
    "{a}\n> {b}\n{c}",
    "{a}\nReply to this email directly:\n{b}\n{c}",
    "{a}" + "_" * 30 + "{b}",
    "/retest",
    "@{u} {a}",
    "{a} _{u}_ {u}-x",
]


def issue_rows(count: int = 3000) -> list[dict]:
    messages = git(ROOT, "log", "--format=%B%x00").decode("utf-8", "replace").split("\0")
    texts = [part for message in messages for part in (message.strip(), *message.strip().split("\n\n")) if part]
    dice = random.Random(7)

    def text() -> str:
        some = "\n".join(dice.choices(texts, k=dice.choice([1, 1, 1, 2, 3, 10, 60])))
        if dice.random() < 0.5:
            return some[: dice.choice([20, 60, 150, 100_000])]
        other = dice.choice(QUOTES)
        return other.format(a=some, b=dice.choice(texts), c=dice.choice(["", dice.choice(texts)]), u=dice.choice(USERS))

    def issue(number: int) -> dict:
        users = dice.choices(USERS, k=dice.choice([1, 1, 1, 2, 3]))
        events = [
            {
                "type": "issue", "action": "opened", "author": users[0], "title": dice.choice(texts)[:80], "comment": None,
                "description": dice.choice([text(), None]), "datetime": "2020",
            }
        ]  # fmt: skip
        for _ in range(dice.choice([0, 0, 1, 1, 2, 5, 9, 10, 12])):
            closes = dice.random() < 0.1
            events.append(
                {
                    "type": "issue" if closes else "comment", "action": "closed" if closes else "created", "title": None,
                    "author": dice.choice(users), "comment": None if closes else text(), "description": None, "datetime": "2021",
                }
            )  # fmt: skip
        return {"repo": "o/n", "issue_number": number, "issue_id": 10_000 + number, "events": events}

    return [issue(number) for number in range(count)]


LANGUAGES = {"rs": "Rust", "py": "Python", "md": "Markdown", "toml": "TOML", "json": "JSON", "yml": "YAML"}
FIELDS = (
    "type action actor.login actor.is_bot title text pull_request.merged review.state base_commit_id comment_id "
    "review_comment.id comment.pull_request_review_id comment.in_reply_to_id comment.path comment.original_position "
    "comment.diff_hunk"
).split()
ODD = ["(" * 90 + "a" * 9, "\\x00" * 200, "a b " * 30, "a" * 1001 + "\n" * 30, "", "Worte ohne Ende"]


def pull_rows(count: int = 3000) -> list[dict]:
    files = [
        {
            "base_path": row["old_file"], "base_content": row["old_contents"] or None, "head_content": row["new_contents"] or None,
            "base_language": LANGUAGES.get(row["old_file"].rsplit(".", 1)[-1]),
        }
        for row in changes(ROOT, 1500) if len(row["old_contents"]) + len(row["new_contents"]) < 40_000
    ]  # fmt: skip
    texts = [text for row in changes(ROOT, 1500) for text in (row["message"], row["subject"])]
    dice = random.Random(7)

    def text() -> str | None:
        some = "\n".join(dice.choices(texts, k=dice.choice([1, 1, 2, 40])))
        odd = ["<!-- hidden -->" + some, some + " Qwiet", f"{some} Codecov", "Thanks!", None, "", f"a <!-- {some}", f"@{dice.choice(USERS)} {some}"]
        quoted = dice.choice(QUOTES).format(a=some, b=some[:30], c="", u=dice.choice(USERS))
        return dice.choice([some, some, some, some, some, quoted, dice.choice(odd)])

    def event(kind: str, author: str, **more) -> dict:
        about = {"type": kind, "actor.login": author, "actor.is_bot": is_bot(author), "text": text(), "base_commit_id": dice.choice([None, "a"]), **more}
        return {name: about.get(name) for name in FIELDS}

    def pull(number: int) -> dict:
        users = dice.choices([*USERS, "ann", "bob", "carol", "dora", "emil"], k=3)
        titles = [dice.choice(texts)[:90], dice.choice(texts)[:9], "Bump Dependencies now", "Release of today", None]
        title = dice.choice([titles[0], titles[0], titles[0], titles[0], titles[0], *titles])
        events = [event("PullRequestEvent", users[0], action="opened", title=title)]
        for _ in range(dice.choice([0, 1, 1, 2, 3, 6])):
            who = dice.choice(users)
            events.append(
                dice.choice(
                    [
                        event("IssueCommentEvent", who, action="created", comment_id=dice.randrange(10**9)),
                        event("PullRequestReviewEvent", who, action="created", **{"review_comment.id": dice.randrange(10**9),
                              "review.state": dice.choice(["approved", "approved", "commented"])}),
                        event("PullRequestReviewCommentEvent", who, action="created", **{
                              "review_comment.id": dice.randrange(10**9), "comment.in_reply_to_id": dice.choice([None, 12]),
                              "comment.path": "a.py", "comment.original_position": dice.randrange(9),
                              "comment.diff_hunk": "@@ -1 +1 @@\n-a"}),
                        event("PullRequestEvent", who, action=dice.choice(["edited", "reopened"]), title=title),
                    ]
                )
            )  # fmt: skip
        if dice.random() < 0.8:
            closed = {"pull_request.merged": dice.random() < 0.8, "base_commit_id": dice.choice(["a", "b"])}
            events.append(event("PullRequestEvent", users[0], action="closed", **closed))
        if dice.random() < 0.1:
            events[-1]["base_commit_id"] = "c"
        changed = [dict(file) for file in dice.choices(files, k=dice.choice([1, 1, 2]))]
        if dice.random() < 0.3:
            changed = [{**changed[0], "base_content": dice.choice(ODD), "base_language": dice.choice(["C", "Markdown", "RDoc"])}]
        guid = f"o/n/pull/{number}"
        return {"pull_request.guid": guid, "repo_name": "o/n", "pr_count_per_repo": count, "events": events, "head_base_files": changed}

    return [pull(number) for number in range(count)]


def lines(rows: list[dict], path: pathlib.Path) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
