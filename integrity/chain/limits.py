"""Every bound on what a stranger sized, in one place.

Whoever can write into the bucket chooses sizes, counts and depths; these numbers decide how much
of our memory and time that may cost. They are configuration, never verdicts: an object over a bound
is `limit_exceeded`, which is undetermined.
"""

from __future__ import annotations

from msgspec import Struct

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


class Limits(Struct, frozen=True):
    """All sizes in bytes.

    A log file holds at most 50 MB before compression by AWS's own quota; the default leaves room
    for what AWS may do later. A digest of an organization with data events names thousands of log
    files, at about 450 bytes each.
    """

    max_log_bytes: int = GIB
    """Inflated size of one log file. It is hashed in a window, so this bounds time, not memory."""

    max_digest_bytes: int = 64 * MIB
    """Inflated size of one digest file, which is held in memory while it is decoded."""

    max_findings_per_reason: int = 1000
    """More findings of one reason in one chain are folded into one, with a count."""

    max_searched_bytes: int = 64 * MIB
    """Inflated size of a log file that is kept whole to be searched for events, one at a time."""

    max_event_bytes: int = 256 * KIB
    """Size of one event that is carried out of its log file: CloudTrail's own maximum."""

    max_events: int = 1000
    """So many events are carried out of the log files of one account, region and day."""

    max_rule_events: int = 20_000
    max_rule_bytes: int = 16 * MIB
    """The same of what the rules ask for, and how large it may be."""

    max_run_bytes: int = 128 * MIB
    """So large may all of that be which the rules ask for in one run."""

    max_payload_bytes: int = 32 * MIB
    """Inflated size of what CloudWatch Logs hands over at a time: far more than it does."""

    max_known_recent: int = 200
    """Recent digests that are remembered of a chain; it writes 24 a day, and one a restart."""

    max_known_backfills: int = 2000
    """Backfill digests that are remembered of a chain."""

    max_known_lost: int = 1000
    """Digests of a chain that are remembered as gone or changed, former heads before others."""

    max_lost_reads: int = 16
    """Of these, how many of a chain are asked for again by a run whose window has left them."""

    max_rule_seconds: float = 0.25
    """Processor time that a rule may take for one event, and beyond a little for each of them."""

    max_rule_memory: int = 512 * MIB
    """Of the process that the programs of rules run in."""

    max_rule_text: int = 8 * KIB
    """So many characters of what a rule's program says are told."""


INFLATE_WINDOW_BYTES = 256 * KIB
"""How much inflated content is in memory at a time while it is hashed."""
