"""What was asked and proven, who asked, with which program and keys, and of what population.

Sections of a page, one a question of an auditor, each made from one record. They repeat what the
record says, and where it does not say something they say that.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from integrity.chain.times import format_instant
from integrity.record import ChainResult, KeyRecord, Run, exit_status
from integrity.report.beside import render_events
from integrity.report.hours import PROVEN, WORDS, counted_hours
from integrity.report.markup import Part, bounded, code, element, facts, items, prose, shown, table
from integrity.report.periods import proven, unchanged
from integrity.report.recorded import Recorded
from integrity.report.words import counted, meaning, narrowing, told

MOST_PERIODS = 12
"""So many chains that are not wholly proven are named beside the verdict; the table has all."""

MOST_CHAINS = 1000
MOST_KEYS = 500


def render_verdict(run: Run) -> Element:
    """The verdict in one word, and what it means."""
    narrowed = narrowing(run.requested)
    return element(
        "div",
        element("p", run.outcome.value.upper(), class_="word"),
        element("p", _sentence(meaning(run.outcome, exit_status(run), empty=not run.chains))),
        element("p", f"The run was {bounded(narrowed)}: this says nothing about the rest.")
        if narrowed
        else None,
        element("p", "The run was interrupted: only what was judged until then is in the record.")
        if run.run.interrupted
        else None,
        class_=f"verdict {run.outcome.value}",
    )


def answer_asked(recorded: Recorded) -> Iterator[Element]:
    """The period that was asked for beside the one that is proven."""
    run = recorded.run
    asked = run.requested
    hours = counted_hours(run)
    vouched = sum(hours[letter] for letter in PROVEN)
    lines = [
        line[:1].upper() + line[1:]
        for line in proven(run, format_instant, most_chains=MOST_PERIODS)
    ]
    lines += [f"Unchanged: {line}" for line in unchanged(run, format_instant)]
    yield element(
        "div",
        element(
            "div",
            element("h4", "Period asked"),
            element("p", *prose(f"{format_instant(asked.start)} to {format_instant(asked.end)}")),
            element("p", f"{_sentence(bounded(narrowing(asked)) or 'every account and region')}"),
        ),
        element(
            "div",
            element("h4", "Period proven"),
            element("ul", *(element("li", *prose(bounded(line))) for line in lines)),
            element("p", f"{vouched:,} of {hours.total():,} hours of all chains together."),
        ),
        class_="periods",
    )
    yield element(
        "p",
        "Proven means: digest files that CloudTrail signed cover that time without a hole. All "
        "times are UTC; a period ends before its second time.",
        class_="soft",
    )


def answer_who(recorded: Recorded) -> Iterator[Element]:
    """Who verified, and what is known of who did something."""
    run = recorded.run
    info = run.run
    caller = code(info.caller_arn) if info.caller_arn else "the record names nobody"
    yield facts(
        [
            ("Verified by", caller),
            ("Run", code(info.id)),
            ("Started", format_instant(info.started_at)),
            ("Finished", format_instant(info.finished_at)),
            (
                "Judged as of",
                f"{format_instant(info.judged_at)} (what is due or late depends on it)",
            ),
            *(("Resumed after an interruption", format_instant(at)) for at in info.resumed_at[-9:]),
        ]
    )
    yield element(
        "p",
        "Who changed, removed or added a file is not something that digest files can show. Where "
        "events near a finding name who did it, in verified log files or in AWS's own Event "
        "history, they are quoted here and beside the finding. They change no verdict.",
    )
    yield from render_events(run)
    ended = [chain for chain in run.chains if chain.ended_by is not None]
    if ended:
        yield table(
            "Chains that a verified event ended",
            ("Chain", "Event", "By", "At", "Log file that holds it", "Its SHA-256"),
            [_ended(chain) for chain in ended[:MOST_CHAINS]],
        )


def _ended(chain: ChainResult) -> list[Part]:
    act = chain.ended_by
    if act is None:
        return []
    return [
        _place(chain),
        shown(act.event_name),
        code(act.by or "nobody named"),
        format_instant(act.time),
        code(act.s3_uri or "none"),
        code(act.sha256 or "none"),
    ]


def answer_keys(recorded: Recorded) -> Iterator[Element]:
    """Every public key that a signature was verified with."""
    keys = recorded.run.keys
    if not keys:
        yield element("p", "No public key was used: no signature was verified.")
        return
    yield table(
        f"{len(keys):,} public {counted(len(keys), 'key')}, each used for at least one signature",
        (
            "Region",
            "Fingerprint",
            "SHA-256 of its DER",
            "Valid from",
            "Valid to",
            "Fetched",
            "From",
        ),
        [_key(key) for key in keys[:MOST_KEYS]],
    )
    yield _left(len(keys) - MOST_KEYS, "key")
    yield element(
        "p",
        "Whoever answered for these keys is trusted: compare them with what another account and "
        "another machine are told, as the last section shows.",
    )


def _key(key: KeyRecord) -> list[Part]:
    return [
        shown(key.region),
        code(key.fingerprint),
        code(key.sha256),
        format_instant(key.not_before),
        format_instant(key.not_after),
        format_instant(key.fetched_at),
        shown(key.origin),
    ]


def answer_tool(recorded: Recorded) -> Iterator[Element]:
    """Which program judged, and with which configuration."""
    run = recorded.run
    asked = run.requested
    looked = "looked for" if asked.unreferenced else "not looked for (--no-unreferenced)"
    allowed = (
        "lower the exit status" if not asked.allow_gaps else "forgiven where empty (--allow-gaps)"
    )
    yield facts(
        [
            ("Program", f"{shown(run.tool.name)} {shown(run.tool.version)}"),
            ("Record's schema", f"version {run.schema_version}"),
            (
                "Configuration",
                [code(run.run.configuration_sha256), " (SHA-256 of what was asked for)"],
            ),
            ("Read from", shown(run.run.source)),
            ("Read of log files", f"{run.run.stored_bytes:,} bytes as stored"),
            ("Log files no digest names", looked),
            ("Gaps", allowed),
            ("Ignored", shown(", ".join(asked.ignored)) if asked.ignored else "nothing"),
        ]
    )
    yield element(
        "p",
        "The record does not hold the hash of the program or of its container image: whoever needs "
        "it notes it where the program is installed.",
        class_="soft",
    )


def answer_population(recorded: Recorded) -> Iterator[Element]:
    """What was expected, by whose word, what was found, and that all of it is counted once."""
    run = recorded.run
    population = run.population
    asked = ", ".join(population.method) or "nobody"
    rows = [
        [name, f"{number.expected:,}", f"{number.found:,}"]
        for name, number in (
            ("Accounts", population.accounts),
            ("Regions", population.regions),
            ("Chains", population.chains),
        )
    ]
    yield table(
        "What was expected, and what was found", ("What", "Expected", "Found"), rows, numbers=2
    )
    yield facts(
        [
            ("Asked", shown(asked)),
            ("By whose word", shown(told(population))),
            (
                "Not answered",
                shown(", ".join(population.unasked)) if population.unasked else "none",
            ),
        ]
    )
    if population.notes:
        yield items(shown(note) for note in population.notes[:50])
    yield element("h4", "The counts balance")
    yield _balance(recorded)
    yield element("h4", "Every chain")
    yield _chains(run)
    yield _left(len(run.chains) - MOST_CHAINS, "chain")


def _balance(recorded: Recorded) -> Element:
    totals = recorded.run.totals
    sums = [
        f"{name}: {counts.valid:,} valid + {counts.invalid:,} invalid + "
        f"{counts.undetermined:,} undetermined = {counts.total:,} {what}."
        for name, counts, what in (
            ("Digest files", totals.digest_files, "expected"),
            ("Backfill digest files", totals.backfill_digest_files, "found or named"),
            ("Log files", totals.log_files, "named by authentic digest files"),
        )
    ]
    logs = totals.log_files
    if logs.unattested is None or logs.unreferenced is None or logs.pending is None:
        sums.append("Log files that no digest file names were not looked for.")
    else:
        sums.append(
            f"Beside them, named by no authentic digest file: {logs.unattested:,} unattested (none "
            f"was there to name them), {logs.unreferenced:,} unreferenced (every one was read), "
            f"{logs.pending:,} pending (not due yet)."
        )
    hours = counted_hours(recorded.run)
    if hours:
        letters = " + ".join(f"{hours[letter]:,} {letter}" for letter in WORDS if hours[letter])
        sums.append(f"Hours: {letters} = {hours.total():,}, all chains together.")
    return items(sums)


def _chains(run: Run) -> Element:
    return table(
        "Digest files and log files as valid / invalid / undetermined",
        ("Chain", "Below", "State", "Outcome", "Digest files", "Log files", "Newest digest ends"),
        [_chain(chain) for chain in run.chains[:MOST_CHAINS]],
    )


def _chain(chain: ChainResult) -> list[Part]:
    digests, logs = chain.digest_files, chain.log_files
    state = chain.state.value
    if chain.ended_at is not None:
        state += f" at {format_instant(chain.ended_at)}"
    return [
        _place(chain),
        code(chain.root),
        state,
        chain.outcome.value,
        f"{digests.valid:,} / {digests.invalid:,} / {digests.undetermined:,}",
        f"{logs.valid:,} / {logs.invalid:,} / {logs.undetermined:,}",
        format_instant(chain.head.end) if chain.head is not None else "none",
    ]


def _place(chain: ChainResult) -> str:
    kind = "" if chain.hours else f" ({chain.kind.value})"
    return f"{shown(chain.account_id, 100)} {shown(chain.region, 100)}{kind}"


def _left(number: int, noun: str) -> Element:
    if number <= 0:
        return element("span")
    return element("p", f"And {number:,} more {counted(number, noun)}, which the record has.")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
