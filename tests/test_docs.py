"""The documents say what the code does: reasons, functions, scenarios, statuses, options, links."""

import ast
import importlib
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from integrity.chain.findings import CLAUSES, Reason
from integrity.cli.verify import verify
from integrity.incidents.causes import OF_REASON, Cause
from integrity.incidents.policy import Policy, Route, routes
from integrity.incidents.tick import Remark
from integrity.record import ExitStatus
from tests.scenarios import SCENARIOS

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CHECKS = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

WEAKNESSES = [f"W{number}" for number in range(1, 29)]
OPEN = {"W8"}
ABSENT = "**Not implemented yet.**"

HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
# A room of the package comes first, so that a permission such as s3:GetObject is no function.
FUNCTION = re.compile(
    r"`((?:chain|verify|service|sources|wiring|cli)[a-z0-9_.]*):([A-Za-z0-9_.]+)`"
)
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    found: Counter[str] = Counter()
    names = set()
    for heading in HEADING.findall(CODE.sub("", text)):
        words = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        names.add(f"{words}-{found[words]}" if found[words] else words)
        found[words] += 1
    return names


def broken_links(path: Path) -> list[str]:
    broken = []
    for target in LINK.findall(CODE.sub("", path.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = path.parent / file if file else path
        if not there.exists() or (
            anchor and anchor not in anchors(there.read_text(encoding="utf-8"))
        ):
            broken.append(target)
    return broken


def entries(document: str = CHECKS) -> dict[str, str]:
    """The entries of a document, docs/checks.md, by their headings."""
    parts = re.split(r"^### (.+)$", document, flags=re.MULTILINE)[1:]
    texts = [re.split(r"^## ", text, flags=re.MULTILINE)[0] for text in parts[1::2]]
    return dict(zip(parts[::2], texts, strict=True))


def field(entry: str, name: str) -> str:
    """One field of an entry, on one line; empty where it is not there."""
    match = re.search(rf"^- \*\*{name}:\*\* (.+?)(?=\n- \*\*|\Z)", entry, re.DOTALL | re.MULTILINE)
    return " ".join(match[1].split()) if match else ""


def missing_functions(text: str) -> list[str]:
    """Of the functions that a text names as `module:function`, those that are not there."""
    missing = []
    for module, path in FUNCTION.findall(text):
        thing: object = importlib.import_module(f"integrity.{module}")
        for name in path.split("."):
            thing = getattr(thing, name, None)
        if not callable(thing):
            missing.append(f"{module}:{path}")
    return missing


@cache
def attributes_by_module() -> dict[str, set[str]]:
    """The names of attributes in each module, save the vocabulary, the words it is said in, and
    what is told of it."""
    return {
        named(path): {
            node.attr
            for node in ast.walk(ast.parse(path.read_bytes()))
            if isinstance(node, ast.Attribute)
        }
        for path in (ROOT / "integrity").rglob("*.py")
        if path.name not in {"findings.py", "words.py"} and path.parent.name != "incidents"
    }


def is_decided(reason: Reason) -> bool:
    """Whether any module but the vocabulary speaks of the reason."""
    return any(reason.name in names for names in attributes_by_module().values())


def test_every_reason_has_an_entry_and_nothing_else_has() -> None:
    headings = re.findall(r"^### (.+)$", CHECKS, re.MULTILINE)
    assert sorted(headings) == sorted(reason.value for reason in Reason)


@pytest.mark.parametrize("reason", Reason)
def test_an_entry_says_what_the_finding_says(reason: Reason) -> None:
    entry = entries()[reason.value]
    assert field(entry, "Says") == f'"{CLAUSES[reason].what}"'
    assert re.split(r"[ ,;]", field(entry, "Outcome"))[0] == CLAUSES[reason].outcome.value
    assert field(entry, "Do")


@pytest.mark.parametrize("reason", Reason)
def test_an_entry_names_who_decides(reason: Reason) -> None:
    entry = entries()[reason.value]
    if not is_decided(reason):
        assert ABSENT in entry
        return
    assert ABSENT not in entry
    assert field(entry, "Compares")
    assert FUNCTION.search(field(entry, "Decided by"))
    assert missing_functions(entry) == []


@pytest.mark.parametrize("reason", Reason)
def test_an_entry_names_scenarios_that_find_its_reason(reason: Reason) -> None:
    unseen = field(entries()[reason.value], "Unseen without it")
    finding = {scenario.name for scenario in SCENARIOS if reason.value in scenario.finds}
    told = set(re.findall(r'"([^"]+)"', unseen))
    assert told <= finding
    assert bool(told) == bool(finding)
    assert bool(unseen) == bool(is_decided(reason))


@pytest.mark.parametrize("name", [*Reason, *Remark])
def test_who_is_told_of_something_finds_what_to_do(name: str) -> None:
    entry = entries(OPERATIONS)[name]
    assert all(field(entry, part) for part in ("Means", "Sure", "Told", "Do", "Do not"))
    assert name in anchors(OPERATIONS)


def test_nothing_is_explained_that_nobody_is_told() -> None:
    assert sorted(entries(OPERATIONS)) == sorted([*Reason, *Remark])


@pytest.mark.parametrize("reason", Reason)
def test_an_entry_says_who_is_told_and_when(reason: Reason) -> None:
    told = field(entries(OPERATIONS)[reason.value], "Told")
    if reason not in OF_REASON:
        assert told == "nobody."
        return
    route = routes(OF_REASON[reason], reason.value, Policy())[0]
    assert told.startswith(f"{route.audience.value}, {patience(OF_REASON[reason], route)}")


def patience(cause: Cause, route: Route) -> str:
    if cause is Cause.EXPIRED:
        return "once"
    if route.closed is not None:
        return "24 h after its hour closed"
    return {1: "at once", 2: "second tick in a row", 3: "third tick in a row"}[route.ticks]


def test_every_weakness_is_closed_or_plainly_open() -> None:
    rows = re.findall(r"^\| (W[0-9]+) \|[^|]+\| ([^|]+) \| ([^|]*)\|$", CHECKS, re.MULTILINE)
    assert [number for number, _, _ in rows] == WEAKNESSES
    assert {number for number, state, _ in rows if "**open" in state} == OPEN
    for number, state, where in rows:
        assert number in OPEN or state.startswith("closed"), number
        assert number in OPEN or FUNCTION.search(where), number
        assert missing_functions(where) == []


def test_the_readme_has_the_exit_statuses() -> None:
    table = README.split("## Exit status")[1].split("\n## ")[0]
    told = {name: int(status) for status, name in re.findall(r"^\| ([0-9]+) \| (\w+)", table, re.M)}
    promised = vars(ExitStatus).items()
    assert told == {name.lower(): status for name, status in promised if isinstance(status, int)}


def test_the_readme_names_options_that_exist() -> None:
    usage = README.split("## Using it")[1]
    commands = re.findall(
        r"(?:^\$|bin/)(?: ?integrity)? verify\s.*?(?=^\$|^```)", usage, re.M | re.S
    )
    told = set(re.findall(r"--[a-z0-9-]+", " ".join(commands)))
    told |= set(re.findall(r"^\| `(--.+?)`", usage, re.M))
    offered = {option for parameter in verify.params for option in parameter.opts}
    assert told
    assert {re.split(r"[ ,`]", option)[0] for option in told} <= offered


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 252


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_no_link_leads_nowhere(path: Path) -> None:
    assert broken_links(path) == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b` title\n[x](gone.md) [y](#a-b-title) [z](#nowhere) [w](https://example.com)\n",
        encoding="utf-8",
    )
    assert broken_links(page) == ["gone.md", "#nowhere"]


def test_a_function_that_is_gone_is_seen() -> None:
    text = "`chain.judge:judge_form` `chain.judge:judge_nothing` `chain.limits:Limits.nothing`"
    assert missing_functions(text) == ["chain.judge:judge_nothing", "chain.limits:Limits.nothing"]
