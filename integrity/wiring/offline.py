"""A copy or a bundle in a folder, for one trail or all that it holds: verified without AWS.

Nothing of the AWS SDK is imported, nothing is asked of a network, and nothing is written into the
folder. It holds no judgement.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from integrity.errors import UsageError
from integrity.structs import replace
from integrity.verify.claim import Claim, MeantTrail
from integrity.verify.job import Job
from integrity.verify.parallel import Stopping
from integrity.verify.ports import OpenSources, Progress, Slowdowns, Witnesses
from integrity.wiring.access import Offline

if TYPE_CHECKING:
    from integrity.evidence.manifest import Asked, Manifest
    from integrity.sources.folder import FolderSource
    from integrity.verify.resume import Keeping
    from integrity.verify.run import Sources, Verification

_MOST_NAMED = 20
_MAX_PART_BYTES = 1024**3


class _Held(Protocol):
    """What a folder holds."""

    def open_trails(self, claim: Claim) -> Sequence[MeantTrail]: ...

    def sources(self) -> Sources: ...

    def fit(self, job: Job) -> Job: ...

    def notes(self) -> Sequence[str]: ...


def open_offline(offline: Offline, *, now: datetime) -> OfflineConnection:
    """Open a copy or a bundle. Raises UsageError where it is none, or where its keys are none."""
    if offline.original is None:
        return OfflineConnection(_Bundle(offline.folder))
    if offline.keys_file is None:
        raise UsageError(
            "a copy is verified with public keys from a file: add --keys (integrity keys saves "
            "them while AWS can be asked)"
        )
    recipe = CopyRecipe(offline.folder, offline.original, offline.keys_file)
    return OfflineConnection(_Copy(recipe, now))


class OfflineConnection:
    """Stands where AWS stands else."""

    def __init__(self, held: _Held) -> None:
        self._held = held

    def open_trails(self, claim: Claim) -> Sequence[MeantTrail]:
        """The trails that are meant. Raises UsageError, listing what there is, for any other."""
        return self._held.open_trails(claim)

    def verify(
        self,
        job: Job,
        *,
        progress: Progress,
        clock: Callable[[], datetime],
        stopping: Stopping,
        names_valid: bool,
        keeping: Keeping | None = None,
    ) -> Verification:
        """One trail's record. `names_valid` keeps it in one process."""
        from integrity.verify.run import verify_trail

        sources = self._held.sources()
        verification = verify_trail(
            self._held.fit(job),
            replace(sources, recipe=None) if names_valid else sources,
            run_id=str(uuid.uuid4()),
            caller_arn=None,
            progress=progress,
            clock=clock,
            stopping=stopping,
            keeping=keeping,
        )
        population = verification.run.population
        notes = (*population.notes, *self._held.notes())
        run = replace(verification.run, population=replace(population, notes=notes))
        return replace(verification, run=run)


# A copy


class CopyRecipe(Struct, frozen=True):
    """A copy, for a process of its own."""

    folder: Path
    original: tuple[str, str]
    keys_file: Path

    def objects(self) -> FolderSource:
        """Its files, by the places that they were copied from."""
        from integrity.sources.folder import FolderSource, Original

        return FolderSource(self.folder, Original(*self.original))

    def open(self, slowdowns: Slowdowns) -> OpenSources:
        """Everything that checking a segment takes."""
        from integrity.sources.key_file import KeyFile

        del slowdowns
        return self.objects(), KeyFile.read(self.keys_file), None


class _Copy:
    def __init__(self, recipe: CopyRecipe, now: datetime) -> None:
        self._recipe, self._now = recipe, now
        self._opened = recipe.open([])

    def open_trails(self, claim: Claim) -> Sequence[MeantTrail]:
        from integrity.sources.copied_trails import choose, find_trails

        found = find_trails(self._recipe.objects().digest_places(), self._now)
        return [MeantTrail(trail, window=window) for trail, window in choose(found, claim.name)]

    def sources(self) -> Sources:
        from integrity.verify.run import Sources

        return Sources(*self._opened, Witnesses(), recipe=self._recipe, name="copy")

    def fit(self, job: Job) -> Job:
        """When a file was delivered is not known of a copy."""
        return replace(job, unreferenced=False, is_copy=True)

    def notes(self) -> Sequence[str]:
        bucket, folder = self._recipe.original
        return [
            f"a copy, taken for s3://{bucket}/{folder}: whether digests still come, AWS's word on "
            "the newest, and log files that no digest names were not looked at"
        ]


# A bundle


class _Bundle:
    def __init__(self, folder: Path) -> None:
        from integrity.evidence.bundled import (
            FILES,
            BundledFiles,
            BundledKeys,
            BundledObjects,
            BundledWitnesses,
        )
        from integrity.evidence.bundled_versions import BundledVersions
        from integrity.evidence.manifest import (
            ANSWERS,
            KEYS,
            MANIFEST,
            OBJECTS,
            RECORD,
            Answers,
            Keys,
            Manifest,
            decode,
            decode_lines,
        )
        from integrity.sources.folder import FolderSource, Original

        self._files = BundledFiles(FolderSource(folder, Original(FILES)))
        self._manifest = decode(_part(folder, MANIFEST), Manifest, MANIFEST)
        lines = list(decode_lines(_checked(folder, OBJECTS, self._manifest).splitlines()))
        _checked(folder, RECORD, self._manifest)
        self._objects = BundledObjects(lines, self._files)
        keys = decode(_checked(folder, KEYS, self._manifest), Keys, KEYS)
        self._keys = BundledKeys(keys)
        self._answers = decode(_checked(folder, ANSWERS, self._manifest), Answers, ANSWERS)
        self._told = BundledWitnesses(self._answers)
        past = BundledVersions(lines, self._files)
        self._versions = past if self._answers.has_versions else None

    def open_trails(self, claim: Claim) -> Sequence[MeantTrail]:
        said = self._manifest
        if claim.name not in (None, said.trail.arn, said.trail.name):
            raise UsageError(f"the bundle is not of trail {claim.name}: it is of {said.trail.arn}")
        job = _job(said.asked, said)
        return [MeantTrail(said.trail, said.neighbours, collected=job)]

    def sources(self) -> Sources:
        from integrity.verify.run import Sources

        told, answers = self._told, self._answers
        asked_regions = answers.regions is not None or answers.no_regions is not None
        asked_accounts = answers.accounts is not None or answers.no_accounts is not None
        witnesses = Witnesses(
            account_id=answers.account_id,
            statuses=told if answers.has_statuses else None,
            regions=told if asked_regions else None,
            accounts=told if asked_accounts else None,
            history=told if answers.has_history else None,
        )
        return Sources(
            self._objects, self._keys, told, witnesses, name="bundle", versions=self._versions
        )

    def fit(self, job: Job) -> Job:
        return replace(
            job, unreferenced=False, is_collected=True, as_of=self._manifest.collected_at
        )

    def notes(self) -> Sequence[str]:
        from integrity.chain.times import format_instant
        from integrity.evidence.bundled import told_of_altered

        return [
            f"a bundle, collected {format_instant(self._manifest.collected_at)} as its manifest "
            "says: what came later, AWS's word on the newest digest, and log files that no digest "
            "names were not looked at",
            *told_of_altered(self._files.altered, _MOST_NAMED),
        ]


def _job(asked: Asked, said: Manifest) -> Job:
    from integrity.chain.model import TimeWindow

    if asked.start > asked.end:
        raise UsageError("the bundle's manifest asks for a time that ends before it starts")
    return Job(
        trail=said.trail,
        window=TimeWindow(asked.start, asked.end),
        account_ids=asked.account_ids,
        source_regions=asked.source_regions,
        ignored=asked.ignored,
        grace=asked.grace,
        redelivery_grace=asked.redelivery_grace,
        unsigned_neighbours=said.neighbours,
        allow_gaps=asked.allow_gaps,
        log_files=asked.log_files,
    )


def _part(folder: Path, name: str) -> bytes:
    from integrity.evidence.manifest import BEGINNING, MANIFEST

    path = folder / name
    try:
        with path.open("rb") as file:
            document = file.read(_MAX_PART_BYTES + 1)
    except OSError as error:
        hint = "ask for the bundle again"
        if name == MANIFEST:
            begun = (folder / BEGINNING).exists()
            hint = (
                "it was interrupted while it was made: run integrity bundle again"
                if begun
                else "name the folder that integrity bundle wrote (a plain copy: --copy)"
            )
        raise UsageError(
            f"{str(path)!r} cannot be read: {error.strerror or error}; {hint}"
        ) from error
    if len(document) > _MAX_PART_BYTES:
        raise UsageError(f"{str(path)!r} is larger than {_MAX_PART_BYTES} bytes: it is no bundle's")
    return document


def _checked(folder: Path, name: str, manifest: Manifest) -> bytes:
    """A part of the bundle as it was written. Nobody's signature protects it but the manifest."""
    from integrity.evidence.manifest import hash_of

    document = _part(folder, name)
    expected, actual = manifest.files.get(name), hash_of(document)
    if expected != actual:
        said = "nothing" if expected is None else expected.sha256
        raise UsageError(
            f"{str(folder / name)!r} is not the file that the manifest names: expected SHA-256 "
            f"{said}, found {actual.sha256}; the bundle was altered or damaged since it was made: "
            "ask for it again"
        )
    return document
