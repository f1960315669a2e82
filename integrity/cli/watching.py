"""The service of the environment's configuration, for the commands that run it or look after it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from integrity.cli.times import read_clock

if TYPE_CHECKING:
    from integrity.wiring.service import Service


def open_service() -> Service:
    """The service, which logs from here on. Raises ConfigError with every mistake."""
    from integrity.wiring.configuration import load_config

    config = load_config(os.environ)
    from integrity.wiring.logs import log_to_stderr
    from integrity.wiring.service import Service

    log_to_stderr(config.service.log_level)
    return Service(config, read_clock)
