"""Acts that take away: log files, digests, hours, the head of a chain."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from integrity.lab.attacks.logs import edit_log
from integrity.lab.chains import Chain
from integrity.lab.objects import LabDigest, LabLog
from integrity.lab.world import World


def delete_log(world: World, log: LabLog) -> None:
    """The log file is gone."""
    del world.objects[log.address]


def delete_digest(world: World, digest: LabDigest, *, with_logs: bool = False) -> None:
    """The digest is gone, and `with_logs` every log file that it named."""
    del world.objects[digest.address]
    if with_logs:
        for log in digest.log_files:
            world.objects.pop(log.address, None)


def delete_digests(world: World, digests: Iterable[LabDigest], *, with_logs: bool = False) -> None:
    """Several digests are gone, and `with_logs` the log files that they named."""
    for digest in list(digests):
        delete_digest(world, digest, with_logs=with_logs)


def delete_newest(world: World, chain: Chain, n: int = 1, *, with_logs: bool = False) -> None:
    """The chain's newest `n` digests are gone."""
    delete_digests(world, chain.digests[-n:], with_logs=with_logs)


def delete_oldest(world: World, chain: Chain, n: int = 1, *, with_logs: bool = False) -> None:
    """The chain's oldest `n` digests are gone."""
    delete_digests(world, chain.digests[:n], with_logs=with_logs)


def delete_all(world: World, chain: Chain, *, with_logs: bool = False) -> None:
    """Every digest of the chain is gone, backfills too."""
    delete_digests(world, (*chain.digests, *chain.backfills), with_logs=with_logs)


def cut_head(world: World, chain: Chain, n: int = 1) -> None:
    """The chain's last `n` hours never were: digests and log files are gone together."""
    delete_newest(world, chain, n, with_logs=True)
    for log in chain.pending:
        world.objects.pop(log.address, None)


def delete_backfill(world: World, digest: LabDigest) -> None:
    """The backfill digest is gone together with the log files that only it names."""
    delete_digest(world, digest, with_logs=True)


def replace_logs_under(world: World, digests: Iterable[LabDigest]) -> None:
    """The digests are gone, and the log files that they named are forged in their places."""
    for digest in list(digests):
        for log in digest.log_files:
            edit_log(world, log)
        delete_digest(world, digest)


def launder_gap(world: World, chain: Chain, n: int = 1) -> None:
    """Before a restart of the chain, the old part's last `n` hours are gone with their log files.

    The chain must have been restarted; what is left looks as if nothing had been delivered then.
    """
    restart = next(d for d in reversed(chain.digests) if d.starting)
    old = [d for d in chain.digests if d.end <= restart.end and d is not restart]
    delete_digests(world, old[-n:], with_logs=True)


def hide_hour_under_starting_digest(world: World, chain: Chain) -> LabDigest:
    """The chain's last hour is gone, and a restart lays an empty starting digest over it.

    Logging is stopped where the chain ends and started a minute later, so that CloudTrail itself
    signs an empty digest dated to the hour that disappears. Returns the digest that is gone.
    """
    victim = chain.digests[-1]
    world.restart_chain(chain, start=victim.end + timedelta(minutes=1), hours=2)
    delete_digest(world, victim, with_logs=True)
    return victim
