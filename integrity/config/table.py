"""What every table of the configuration is like."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A TOML table: frozen, without a key that is not known, silent about what stood in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
