"""What the image is made of, and what it may do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from integrity import __version__
from tests.container.engine import IMAGE, ROOT, Engine, Ran

pytestmark = pytest.mark.slow

OURS = "10001"
COMMANDS = (
    "integrity.cli.verify, integrity.sources.s3, integrity.wiring.scheduled, scheduler, "
    "apscheduler.schedulers.background"
)


def python(image: Engine, program: str, *options: str) -> Ran:
    return image.run("-c", program, options=("--entrypoint=python", *options))


def shell(image: Engine, script: str) -> Ran:
    return image.run("-c", script, options=("--entrypoint=sh",))


def inspected(image: Engine) -> dict[str, Any]:
    (described,) = json.loads(image.podman("image", "inspect", IMAGE).out)
    return {**described["Config"], "Healthcheck": described["Healthcheck"]}


def test_it_is_the_user_that_owns_only_its_state(image: Engine) -> None:
    config = inspected(image)
    assert config["User"] == f"{OURS}:{OURS}"
    assert config["Volumes"] == {"/var/lib/integrity": {}}
    assert shell(image, "id -u; id -g; id -G").out.split() == [OURS] * 3
    owned = shell(image, f"find / -xdev -user {OURS} -not -path '/proc/*' 2>/dev/null; true")
    assert owned.out.split() == ["/var/lib/integrity"]
    assert shell(image, "stat -c '%u:%g %a' /var/lib/integrity").out.strip() == (
        f"{OURS}:{OURS} 750"
    )


def test_nobody_writes_to_what_is_shipped(image: Engine) -> None:
    strangers = shell(image, "find /opt /home \\( -not -user 0 -o -perm /022 \\) -not -type l")
    assert (strangers.out, strangers.status) == ("", 0)
    closed = shell(image, "find /opt /home -type f -not -perm -004 -o -type d -not -perm -005")
    assert (closed.out, closed.status) == ("", 0)


def test_only_the_state_and_what_is_temporary_can_be_written(image: Engine) -> None:
    tried = shell(
        image,
        "touch /var/lib/integrity/x /tmp/x && for d in / /opt/integrity /opt/venv /home/integrity;"
        " do touch $d/x && echo $d; done; true",
    )
    assert (tried.out, tried.status) == ("", 0)
    assert tried.err.count("Read-only file system") + tried.err.count("Permission denied") == 4


def test_the_state_outlives_the_container(image: Engine, state: str) -> None:
    options = ("--entrypoint=sh", state)
    assert image.run("-c", "echo kept > /var/lib/integrity/it", options=options).status == 0
    assert image.run("-c", "cat /var/lib/integrity/it", options=options).out == "kept\n"


def test_the_lab_is_not_in_it(image: Engine) -> None:
    missing = python(image, "import integrity.lab")
    assert missing.status == 1
    assert "No module named 'integrity.lab'" in missing.err
    demo = image.run("demo")
    assert demo.status == 2
    assert "the demo needs the lab, which is not installed" in demo.err


def test_nothing_is_in_it_that_only_builds_or_tests(image: Engine) -> None:
    for module in ("pip", "setuptools", "moto", "pytest", "tests"):
        assert f"No module named '{module}'" in python(image, f"import {module}").err
    tools = shell(image, "command -v pip gcc cc make uv; ls /opt /opt/integrity /build")
    assert tools.out.split() == [
        "/opt:", "integrity", "venv", "/opt/integrity:", "__pycache__", "bin", "integrity",
        "scheduler.py",
    ]  # fmt: skip
    # Root alone, with its powers, sees all of them.
    options = ("--entrypoint=find", "--user=0", "--cap-add=dac_read_search")
    caches = image.run("/", "-xdev", "-name", ".cache", options=options)
    assert (caches.out, caches.status) == ("", 0)


def test_what_is_locked_is_what_is_installed(image: Engine) -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = {line.split(" ")[0] for line in lines if "==" in line and "win32" not in line}
    found = python(
        image,
        "from importlib.metadata import distributions as all\n"
        "for one in all(path=[p for p in __import__('sys').path if p.startswith('/opt/venv')]):\n"
        "    print(one.name.lower().replace('_', '-') + '==' + one.version)",
    )
    assert set(found.out.split()) <= pins
    # A marker may leave one out on the Python of the base.
    assert len(found.out.split()) >= len(pins) - 2


def test_nothing_is_compiled_at_the_start(image: Engine) -> None:
    # With -v Python says of each module which file its code was taken from.
    said = image.run("-v", "-c", f"import {COMMANDS}", options=("--entrypoint=python",))
    taken = re.findall(r"# code object from '?([^'>]+)", said.err)
    assert len(taken) > 100
    assert [path for path in taken if not path.endswith(".pyc")] == []


def test_it_says_what_it_is(image: Engine) -> None:
    config = inspected(image)
    labels = {name.rpartition(".")[2]: value for name, value in config["Labels"].items()}
    assert labels["title"] == "integrity"
    assert labels["licenses"] == "Apache-2.0"
    assert labels["version"] == __version__
    assert config["Healthcheck"]["Test"] == ["CMD", "integrity", "health"]
    assert config["Healthcheck"]["StartPeriod"] == 15 * 60 * 10**9
    assert config["Entrypoint"] == ["/opt/integrity/bin/entrypoint"]
    assert "Cmd" not in config or config["Cmd"] is None
    assert not [name for name in config["Env"] if name.startswith(("AWS_", "INTEGRITY_", "PIP_"))]
