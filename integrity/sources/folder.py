"""Objects of a bucket as a folder holds them: a copy made by `aws s3 sync`, or a bundle's files.

A key becomes a path name by name, and a name that could be anything else on this system (`..`, a
drive, a stream, a symbolic link) is never opened. A folder holds no metadata and no versions. What
is not in a folder that was copied whole is absent; what lies outside of the copy, or cannot be
named in a folder, is unreachable: its absence says nothing. It writes nothing, and needs no network
and no AWS SDK.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from integrity.chain.content import Buffer
from integrity.chain.model import Absent, Fetched, Listed, S3Location, Unreachable
from integrity.chain.trouble import OUTSIDE
from integrity.errors import UsageError

T = TypeVar("T")

_PIECE_BYTES = 256 * 1024
_FOLDERS_KNOWN = 4096
_NAMES_KNOWN = 16
_ON_WINDOWS = os.name == "nt"
_FORBIDDEN = frozenset('\0\\:<>|"?*' if _ON_WINDOWS else "\0")
_OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_OPEN |= getattr(os, "O_NONBLOCK", 0)  # a pipe under a good name must not make us wait
_TOO_LONG = "its name cannot be that of a file on this system: verify the bucket itself"


class Original(Struct, frozen=True):
    """What was copied: the objects of a bucket whose keys begin with `folder` ("" or `…/`)."""

    bucket: str
    folder: str = ""

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.folder}"


class FolderSource:
    """The objects below `folder`, by the place that they were copied from."""

    def __init__(self, folder: Path, original: Original) -> None:
        if not folder.is_dir():
            raise UsageError(
                f"there is no folder {str(folder)!r}: name the one that holds the copy"
            )
        self._folder, self._original = folder.resolve(), original
        self._find = lru_cache(_FOLDERS_KNOWN)(self._find_folder)
        self._names = lru_cache(_NAMES_KNOWN)(_names_in)
        self._ignores_case = _ignores_case(self._folder)

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        """The file that stands for an object. Its metadata, version and times are not known."""
        if not self._covers(location):
            return Unreachable(location, self._beyond())
        path = self._path(location.key)
        if isinstance(path, str):
            return Unreachable(location, path)
        if path is None:
            return Absent(location)
        try:
            handle = os.open(path, _OPEN)
        except FileNotFoundError:
            return Absent(location)
        except OSError as error:
            return Unreachable(location, _why(error))
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            return Unreachable(location, "it is no ordinary file in the copy")
        with os.fdopen(handle, "rb", buffering=0) as file:
            pieces = _Pieces(file.read)
            content = read(iter(pieces))
        if pieces.trouble is not None:
            return Unreachable(location, _why(pieces.trouble))
        return Fetched(location, content, size=pieces.size)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        """Every file whose key begins with `prefix`, symbolic links included."""
        if bucket != self._original.bucket:
            yield Unreachable(S3Location(bucket, prefix), self._beyond())
            return
        whole = self._original.folder
        if whole.startswith(prefix):
            prefix = whole
        elif not prefix.startswith(whole):
            yield Unreachable(S3Location(bucket, prefix), self._beyond())
            return
        folders = prefix[len(whole) :].split("/")[:-1]
        found = self._find(tuple(folders))
        if isinstance(found, str):
            yield Unreachable(S3Location(bucket, prefix), found)
        if not isinstance(found, Path):
            return
        yield from self._walk(found, whole + "".join(f"{name}/" for name in folders), prefix)

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        """The names of the folders directly below, those above the copy included."""
        whole = self._original.folder
        if bucket == self._original.bucket and whole.startswith(folder) and whole != folder:
            return (whole[len(folder) :].split("/")[0],)
        if bucket != self._original.bucket or not folder.startswith(whole):
            return Unreachable(S3Location(bucket, folder), self._beyond())
        found = self._find(tuple(folder[len(whole) :].split("/")[:-1]))
        if isinstance(found, str):
            return Unreachable(S3Location(bucket, folder), found)
        if found is None:
            return ()
        try:
            with os.scandir(found) as entries:
                # Of what a link hides it will be said that it was not looked into.
                names = [
                    e.name for e in entries if e.is_symlink() or e.is_dir(follow_symlinks=False)
                ]
        except OSError as error:
            return Unreachable(S3Location(bucket, folder), _why(error))
        return tuple(sorted(name for name in names if _is_text(name)))

    def digest_places(self) -> Iterator[S3Location]:
        """Every file below a folder `CloudTrail-Digest`, in no order; log files are passed over.

        Raises UsageError where a folder cannot be read.
        """
        left = [(self._folder, self._original.folder)]
        while left:
            path, key = left.pop()
            try:
                folders, files = _sorted(path)
            except OSError as error:
                raise UsageError(f"{_why(error)} ({str(path)!r})") from error
            parts = key.rstrip("/").split("/")
            inside = "CloudTrail-Digest" in parts
            if inside:
                yield from (S3Location(self._original.bucket, key + name) for name, _ in files)
            beside_logs = len(parts[-1]) == 12 and parts[-1].isdigit()
            for name in folders:
                if inside or not beside_logs or name == "CloudTrail-Digest":
                    left.append((path / name, f"{key}{name}/"))

    def _covers(self, location: S3Location) -> bool:
        whole = self._original
        return location.bucket == whole.bucket and location.key.startswith(whole.folder)

    def _beyond(self) -> str:
        return f"{OUTSIDE}, which holds {self._original.uri}"

    def _path(self, key: str) -> Path | str | None:
        """Where the file of a key would lie; None: in no folder that there is; or why nowhere."""
        *folders, name = key[len(self._original.folder) :].split("/")
        found = self._find(tuple(folders))
        if not isinstance(found, Path):
            return found
        if not _is_plain(name):
            return _TOO_LONG
        path = found / name
        if self._ignores_case and name not in self._names(found):
            return None
        try:
            if path.is_symlink():
                return "a symbolic link stands for it in the copy, which is not followed"
        except OSError as error:
            return _why(error)
        return path

    def _find_folder(self, names: tuple[str, ...]) -> Path | str | None:
        """The folder of these names, one below the other; None: there is none; or why not."""
        if not names:
            return self._folder
        above = self._find(names[:-1])
        if not isinstance(above, Path):
            return above
        if not _is_plain(names[-1]):
            return _TOO_LONG
        if self._ignores_case and names[-1] not in self._names(above):
            return None
        try:
            mode = (above / names[-1]).lstat().st_mode
        except FileNotFoundError:
            return None
        except OSError as error:
            return _why(error)
        if stat.S_ISLNK(mode):
            return "a symbolic link stands for its folder in the copy, which is not followed"
        return above / names[-1] if stat.S_ISDIR(mode) else None

    def _walk(self, top: Path, key: str, prefix: str) -> Iterator[Listed | Unreachable]:
        left = [(top, key)]
        while left:
            path, below = left.pop()
            try:
                folders, files = _sorted(path)
            except OSError as error:
                yield Unreachable(S3Location(self._original.bucket, below), _why(error))
                continue
            for name, found in files:
                if (below + name).startswith(prefix):
                    modified = datetime.fromtimestamp(found.st_mtime, UTC)
                    place = S3Location(self._original.bucket, below + name)
                    yield Listed(place, found.st_size, modified)
            for name in folders:
                inner = f"{below}{name}/"
                if inner.startswith(prefix) or prefix.startswith(inner):
                    left.append((path / name, inner))


class _Pieces:
    """A file in pieces. What breaks while it is read ends it, and is kept."""

    def __init__(self, read: Callable[[int], bytes | None]) -> None:
        self._read = read
        self.size = 0
        self.trouble: OSError | None = None

    def __iter__(self) -> Iterator[bytes]:
        while True:
            try:
                piece = self._read(_PIECE_BYTES)
            except OSError as error:
                self.trouble = error
                return
            if not piece:
                return
            self.size += len(piece)
            yield piece


def _sorted(path: Path) -> tuple[list[str], list[tuple[str, os.stat_result]]]:
    """The folders, and the files and links, in a folder; names that are no text are left out."""
    folders, files = [], []
    with os.scandir(path) as entries:
        for entry in entries:
            if not _is_text(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
                files.append((entry.name, entry.stat(follow_symlinks=False)))
    return sorted(folders), files


def _names_in(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in folder.iterdir())
    except OSError:
        return frozenset()


def _is_plain(name: str) -> bool:
    """Whether a part of a key is the name of one file or folder here, and nothing else."""
    if name in ("", ".", "..") or not _FORBIDDEN.isdisjoint(name) or not _is_text(name):
        return False
    return not _ON_WINDOWS or name == name.rstrip(". ")


def _is_text(name: str) -> bool:
    """Keys are UTF-8; a file may have a name that is none."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _ignores_case(folder: Path) -> bool:
    """Whether a file system takes `awslogs` for `AWSLogs`: then names are compared here."""
    for name in sorted(_names_in(folder)):
        other = name.swapcase()
        if other != name and other not in _names_in(folder):
            return (folder / other).exists()
    return _ON_WINDOWS


def _why(error: OSError) -> str:
    return f"the copy's file cannot be read: {error.strerror or error}"
