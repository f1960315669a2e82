"""Builds the image and runs it, with buildah and podman, where there is no Docker engine.

The base is a stand-in: Debian's Python under the name of the official image, which no registry is
asked for. Like that one it has no compiled standard library. Everything is kept in one folder, so
that the next run only builds what has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from integrity import __version__

ROOT = Path(__file__).parents[2]
IMAGE = "integrity:test"
BASE = "docker.io/library/python:3.11-slim-bookworm"
TOOLS = ("buildah", "mmdebstrap", "podman", "runc")

_RUNC = "/usr/sbin/runc"
_MAKE_BASE = (
    "mmdebstrap",
    "--quiet",
    "--variant=minbase",
    "--include=ca-certificates,python3,python3-venv",
    '--customize-hook=ln -s /usr/bin/python3 "$1/usr/local/bin/python3"',
    '--customize-hook=ln -s /usr/bin/python3 "$1/usr/local/bin/python"',
    '--customize-hook=find "$1/usr/lib" -name __pycache__ -prune -exec rm -r {} +',
    "bookworm",
)
_RECIPE = "localhost/stand-in:" + hashlib.sha256(repr(_MAKE_BASE).encode()).hexdigest()[:12]
_HARDENED = (
    "--rm",
    "--pull=never",
    "--network=host",
    "--no-healthcheck",
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=1024:1024",
    "--read-only",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--tmpfs=/tmp",
)
_FROM_THE_HOST = ("/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")
"""Where pip finds its index and whom it trusts, as the machine was set up."""


def obstacle() -> str:
    """Why no image can be built here; empty where one can."""
    if not sys.platform.startswith("linux"):
        return "the image is built on Linux"
    if os.geteuid() != 0:
        return "the image is built as root"
    missing = [tool for tool in TOOLS if shutil.which(tool, path=_path()) is None]
    if missing:
        return (
            f"{', '.join(missing)} not installed: apt-get install --no-install-recommends "
            + " ".join(sorted(TOOLS))
        )
    return ""


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    status: int
    out: str
    err: str


class Container:
    """One that runs. Made and ended by `Engine.start`."""

    def __init__(self, engine: Engine, name: str, process: subprocess.Popen[str]) -> None:
        self._engine = engine
        self.name = name
        self._process = process

    def execute(self, *command: str) -> Ran:
        """Run a command in it, beside its first process."""
        return self._engine.podman("exec", self.name, *command)

    def signal(self, name: str) -> None:
        """Send a signal to its first process."""
        sent = self._engine.podman("kill", "--signal", name, self.name)
        assert sent.status == 0, sent.err

    def wait(self, seconds: float) -> Ran:
        """Its end, which must come within so many seconds."""
        out, err = self._process.communicate(timeout=seconds)
        return Ran(self._process.returncode, out, err)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None


class Engine:
    """buildah and podman on a storage of their own, in the folder `home`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._conf = home / "storage.conf"
        home.mkdir(parents=True, exist_ok=True)
        self._environment = {
            **os.environ,
            "PATH": _path(),
            "CONTAINERS_STORAGE_CONF": str(self._conf),
        }

    def prepare(self) -> None:
        """Have the image, of the checkout as it is. Minutes at first, seconds from then on."""
        import fcntl  # not on Windows, where these tests are collected too

        with (self._home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._settle_driver()
            if self._call("buildah", "inspect", "--type=image", _RECIPE).status != 0:
                self._make_base()
            self._must("buildah", "tag", _RECIPE, BASE)
            self._build()

    def run(
        self,
        *arguments: str,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run the image to its end, as restricted as README says."""
        return self._call(*self._run_command(arguments, options, environment))

    @contextmanager
    def start(
        self,
        *arguments: str,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[Container]:
        """Run the image while the block lasts."""
        name = f"integrity-{uuid.uuid4().hex[:12]}"
        command = self._run_command(arguments, (f"--name={name}", *options), environment)
        with subprocess.Popen(
            command,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            container = Container(self, name, process)
            try:
                self._await_start(container)
                yield container
            finally:
                if container.is_running:
                    self.podman("kill", "--signal=KILL", name)
                    process.communicate()

    def podman(self, *arguments: str) -> Ran:
        """Any other command of podman's."""
        return self._call(*self._podman(), *arguments)

    # How

    def _await_start(self, container: Container) -> None:
        for _ in range(600):
            state = self.podman("inspect", "--format={{.State.Status}}", container.name)
            if state.out.strip() == "running" or not container.is_running:
                return
            time.sleep(0.1)
        raise AssertionError(f"{container.name} did not start within a minute")

    def _podman(self) -> tuple[str, ...]:
        tmpdir = f"--tmpdir={self._home / 'tmp'}"
        return "podman", tmpdir, "--cgroup-manager=cgroupfs", f"--runtime={_RUNC}"

    def _run_command(
        self,
        arguments: Sequence[str],
        options: Sequence[str],
        environment: Mapping[str, str] | None,
    ) -> list[str]:
        variables = [f"--env={name}={value}" for name, value in (environment or {}).items()]
        return [*self._podman(), "run", *_HARDENED, *variables, *options, IMAGE, *arguments]

    def _settle_driver(self) -> None:
        # A checkout that was moved has taken another's paths with it.
        if self._conf.exists() and f'"{self._home}/' in self._conf.read_text(encoding="utf-8"):
            return
        for driver in ("overlay", "vfs"):
            lines = [
                "[storage]",
                f'driver = "{driver}"',
                f'runroot = "{self._home / driver / "run"}"',
                f'graphroot = "{self._home / driver / "storage"}"',
                # A mount of its own would keep the folder from being removed.
                "[storage.options.overlay]",
                'skip_mount_home = "true"',
            ]
            self._conf.write_text("\n".join(lines) + "\n", encoding="utf-8")
            if self._call("buildah", "images").status == 0:
                return
        self._conf.unlink()
        raise AssertionError("no storage driver works here")

    def _make_base(self) -> None:
        tar = self._home / "base.tar"
        self._must(*_MAKE_BASE, str(tar))
        container = self._must("buildah", "from", "scratch").out.strip()
        self._must("buildah", "add", "--quiet", container, str(tar), "/")
        self._must("buildah", "commit", "--quiet", "--rm", "--format=docker", container, _RECIPE)
        tar.unlink()

    def _build(self) -> None:
        mounts = [f"--volume={path}:{path}:ro" for path in _FROM_THE_HOST if Path(path).exists()]
        self._must(
            "buildah",
            "build",
            "--isolation=chroot",
            "--format=docker",
            "--network=host",
            "--pull-never",
            "--layers",
            "--force-rm",
            *mounts,
            f"--build-arg=VERSION={__version__}",
            f"--tag={IMAGE}",
            str(ROOT),
        )

    def _must(self, *command: str) -> Ran:
        done = self._call(*command)
        assert done.status == 0, f"{command}: {done.out[-4000:]}{done.err[-4000:]}"
        return done

    def _call(self, *command: str) -> Ran:
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)
