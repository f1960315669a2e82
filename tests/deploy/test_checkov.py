"""checkov on the templates: nothing fails, and every waiver in them is needed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.template import EXAMPLES, SERVICE
from tests.deploy.tools import make_environment

pytestmark = pytest.mark.slow

LOCK = Path(__file__).with_name("checkov.lock")


@pytest.fixture(scope="module")
def checkov() -> Path:
    try:
        python = make_environment("checkov", LOCK, sys.executable)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"checkov cannot be installed: {error.stderr.decode(errors='replace')[-300:]}")
    return python.with_name("checkov")


def failed(checkov: Path, folder: Path, home: Path) -> tuple[set[str], int]:
    """The checks that fail, and how many pass."""
    done = subprocess.run(
        [checkov, "--skip-download", "--framework", "cloudformation", "-o", "json", "-d", folder],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "HOME": str(home)},
    )
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["summary"]["parsing_errors"] == 0
    return {one["check_id"] for one in said["results"]["failed_checks"]}, said["summary"]["passed"]


def test_it_has_nothing_to_say(checkov: Path, tmp_path: Path) -> None:
    found, passed = failed(checkov, SERVICE.parent, tmp_path)

    assert found == set()
    assert passed > 30


@pytest.mark.parametrize("template", [SERVICE, *EXAMPLES], ids=lambda template: template.name)
def test_every_waiver_is_needed(checkov: Path, template: Path, tmp_path: Path) -> None:
    text = template.read_text(encoding="utf-8")
    waived = set(re.findall(r"- id: (CKV\w+)", text))
    (tmp_path / template.name).write_text(re.sub(r"- id: CKV\w+", "- id: NONE_1", text))

    found, _ = failed(checkov, tmp_path, tmp_path)

    assert found == waived
