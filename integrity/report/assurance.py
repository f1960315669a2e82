"""What a verdict does not prove, whether the record is intact, how to check it, and which controls
it speaks to.

Sections of a page. What is said of the record's own integrity is what its bytes show: its hash, the
hash that it gives of its predecessor, and whether it agrees with itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from integrity.chain.times import format_instant
from integrity.record import Run
from integrity.report import commands
from integrity.report.markup import Part, code, command, element, facts, items, shown, table
from integrity.report.recorded import Recorded
from integrity.report.words import counted

_MOST_REGIONS = 3

_LIMITS = (
    "That CloudTrail recorded everything: event selectors, a stopped trail, services that do not "
    "log. What was never delivered was never signed.",
    "Anything about time in which log file validation was off, or about hours that are not proven.",
    "That an event is true: digest files vouch for what was delivered, not for who acted under a "
    "name.",
    "Who changed something, and why.",
    "The newest hour or two at the time of judgement: a digest file comes about half an hour after "
    "its hour.",
    "That accounts and regions which vanished whole were never there, where nobody but the bucket "
    "could be asked for them: see by whose word the population is.",
    "What log files that are counted as unattested or pending hold: nobody vouches for them.",
    "Anything against AWS itself, or against whoever controlled the machine that verified.",
)

_CONTROLS = (
    (
        "PCI DSS 4.0.1, 10.3.4",
        "Change detection on audit logs, so that changing existing log data raises an alert.",
        "Each log file's content against its signed hash, and every exception. That somebody was "
        "alerted is shown by the alarms of a service, not by this record.",
    ),
    (
        "PCI DSS 4.0.1, 10.7.2",
        "Failures of critical security controls, audit logging among them, are detected, "
        "alerted and addressed.",
        "Hours without digest files, stale or rewound heads, a trail that is off, and whatever "
        "could not be read are findings, never passed over. How they were addressed is yours to "
        "show.",
    ),
    (
        "NIST SP 800-53, AU-9(3)",
        "Cryptographic mechanisms protect the integrity of audit information.",
        "Signatures, chain links and hashes were verified, with the keys listed above.",
    ),
    (
        "NIST SP 800-53, AU-10(2)",
        "The binding of information to its producer is validated at a defined frequency, with "
        "defined actions on an error.",
        "One validation and its result. The frequency is shown by the records before and after, "
        "the actions by your procedure.",
    ),
    (
        "NIST SP 800-53, SI-7",
        "Integrity verification tools detect unauthorized changes to information.",
        "What was verified, with which program and configuration, and each change that was found.",
    ),
    (
        "ISO/IEC 27001:2022, A.8.15",
        "Logs are produced, stored, protected and analysed.",
        "Protection: that stored logs are unchanged and complete for the hours that are proven.",
    ),
    (
        "CIS AWS Foundations Benchmark, CloudTrail log file validation (3.2, or 4.2 in newer ones)",
        "Log file validation is enabled on all trails.",
        "Signed digest files for the hours that are proven show that it was on then.",
    ),
)


def answer_limits(recorded: Recorded) -> Iterator[Element]:
    """What no verdict of this kind proves, and what this one was asked to leave out."""
    yield items(_LIMITS)
    left_out = list(_left_out(recorded.run))
    if left_out:
        yield element("p", "And because it was asked for so:")
        yield items(left_out)


def _left_out(run: Run) -> Iterator[str]:
    asked = run.requested
    if asked.account_ids is not None:
        yield f"nothing about accounts other than {shown(', '.join(asked.account_ids))};"
    if asked.source_regions is not None:
        yield f"nothing about regions other than {shown(', '.join(asked.source_regions))};"
    if asked.ignored:
        yield f"no digest files were expected of {shown(', '.join(asked.ignored))};"
    if not asked.unreferenced:
        yield "log files that were slipped in were not looked for;"
    if asked.allow_gaps:
        yield "gaps without log files did not lower the exit status; the findings are here."
    if run.run.interrupted:
        yield "the run was interrupted, and says nothing of what it had not judged by then."
    if run.run.resumed_at:
        yield (
            "the run went on after an interruption: what was changed after it had been read, "
            f"between {format_instant(run.run.started_at)} and "
            f"{format_instant(run.run.finished_at)}, is not in it."
        )


def answer_intact(recorded: Recorded) -> Iterator[Element]:
    """What the record's own bytes show."""
    info = recorded.run.run
    previous: list[Part] = ["this record names no predecessor"]
    if info.previous_sha256 is not None:
        previous = ["this record names its predecessor: ", code(info.previous_sha256)]
    written = (
        "yes: this program would write the same bytes"
        if recorded.as_written
        else "NO: its bytes are not those that this program would write. It was laid out anew, "
        "edited, or written by another version; a signature over the original does not fit it"
    )
    wrong = recorded.contradictions
    agrees: Part = "yes: the verdict is the worst of its parts, and the totals are their sums"
    if wrong:
        agrees = items(f"NO: {sentence}" for sentence in wrong)
    yield facts(
        [
            (
                "SHA-256 of the record",
                [code(recorded.sha256), f" over {recorded.size_bytes:,} bytes"],
            ),
            ("Predecessor", previous),
            ("As it was written", written),
            ("Agrees with itself", agrees),
            ("Signature", "not looked at: this page is made from the record alone"),
        ]
    )
    yield element(
        "p",
        "None of this shows that nobody made the record up. A detached signature over the record's "
        "bytes shows who made it, and the hash that a later record gives of it that it was there "
        "before: check both against the SHA-256 above. This page carries no signature either: make "
        "it again from the record, and compare.",
    )


def answer_again(recorded: Recorded) -> Iterator[Element]:
    """Exact commands, from the cheapest to the whole."""
    yield from _check_page(recorded)
    yield from _check_trail(recorded.run)
    yield from _ask_aws(recorded.run)


def _check_page(recorded: Recorded) -> Iterator[Element]:
    yield element("p", "That this page was made from the record: its SHA-256, and the page again.")
    yield command(commands.hash_record(recorded.line, laid_out=recorded.laid_out))
    yield command("integrity report record.json --output again.html && cmp again.html report.html")


def _check_trail(run: Run) -> Iterator[Element]:
    yield element(
        "p",
        "The verification, with the same question. The run, its times and what has changed since "
        "may differ, and nothing else:",
    )
    yield command(commands.verify_again(run))
    roots = sorted({chain.root for chain in run.chains})
    if roots:
        several = ", ".join(shown(root) for root in roots[:5])
        sentence = "If AWS no longer knows the trail, --s3-bucket and --s3-prefix say where it lies"
        yield element("p", f"{sentence}: {several}.")


def _ask_aws(run: Run) -> Iterator[Element]:
    if run.keys:
        must = "A public key, from another account and machine; the answer must be "
        yield element("p", must, code(run.keys[0].sha256), ":")
        yield command(commands.ask_for_key(run.keys[0]))
    for line in commands.hash_log(run):
        yield element("p", "The first log file whose content is not the signed one, as it is now:")
        yield command(line)
    regions = sorted({chain.region for chain in run.chains})
    if regions:
        left = len(regions) - _MOST_REGIONS
        more = f" ({left} more {counted(left, 'region')} likewise)" if left > 0 else ""
        yield element(
            "p",
            "AWS's own command, region by region. It does not look for missing ends, for gaps or "
            f"for files that were slipped in{more}:",
        )
        for region in regions[:_MOST_REGIONS]:
            yield command(commands.validate_logs(run, region))


def render_controls() -> Element:
    """Which controls the record is evidence for, and what stays to be shown otherwise."""
    return table(
        "What the controls ask for, in short, and what this record shows of it",
        ("Control", "Asks for", "Shown here"),
        _CONTROLS,
    )
