"""Environment variables over what the text says: which key each of them is, and its value.

`INTEGRITY_` and the key's path in capitals: `service.schedule` is INTEGRITY_SERVICE_SCHEDULE, the
second trail's role INTEGRITY_TRAILS_1_ROLE_ARN. A list is written with commas. A variable that is
empty is one that was not given, as templates write what they have no value for. A name that is no
key's is a mistake: a slip in it would otherwise be silence. Nothing here reads the environment.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrity.config.keys import ANY, PREFIX, Key, Kind, all_keys

CONFIG, CONFIG_TOML = "INTEGRITY_CONFIG", "INTEGRITY_CONFIG_TOML"
RULES_TOML = "INTEGRITY_RULES_TOML"
"""Where the text is, the text itself, and that of the rules: no keys, but who reads them looks
here.
"""

SIGN_PASSPHRASE = "INTEGRITY_SIGN_PASSPHRASE"  # noqa: S105 - a name
"""A secret that stands in no configuration: `evidence`, which opens the signing key, reads it."""

Path = tuple[str | int, ...]

# What Kubernetes and Docker put into every container beside a service named `integrity`.
_LINKS = re.compile(
    r"INTEGRITY(_.*)?_(SERVICE_(HOST|PORT)(_.*)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
_OTHERS = (CONFIG, CONFIG_TOML, RULES_TOML, SIGN_PASSPHRASE)
_NUMBERED = re.compile(r"_([0-9]{1,3})_")
_VALUES = {"true": True, "false": False}


@dataclass(slots=True)
class Overlay:
    """What became of the variables: which one set which key, and what was wrong with the rest."""

    variables: dict[Path, str] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)


def lay_over(tree: dict[str, Any], environ: Mapping[str, str]) -> Overlay:
    """Write what the variables say into `tree`, a document as TOML parses it."""
    overlay = Overlay()
    by_name = {key.variable: key for key in all_keys().values()}
    meant = []
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name in _OTHERS or _is_link(name, by_name):
            continue
        numbers = [int(number) for number in _NUMBERED.findall(name)]
        key = by_name.get(_NUMBERED.sub("_N_", name))
        if key is None or key.path.count(ANY) != len(numbers):
            overlay.mistakes.append(_unknown(name, list(by_name)))
        elif text:
            meant.append((_placed(key, numbers), key, name, text))
    # In the order of the tables: a new one is made only behind the one before it.
    meant.sort(key=lambda one: [part for part in one[0] if isinstance(part, int)])
    for path, key, name, text in meant:
        _put(tree, path, _value(key.kind, text), name, overlay)
    return overlay


def _is_link(name: str, by_name: Mapping[str, Key]) -> bool:
    return name not in by_name and _LINKS.fullmatch(name) is not None


def _unknown(name: str, names: list[str]) -> str:
    slip = _NUMBERED.sub("_N_", name).removeprefix(PREFIX)
    close = difflib.get_close_matches(slip, [one.removeprefix(PREFIX) for one in names], n=1)
    hint = f"; did you mean {PREFIX}{close[0]}?" if close else ""
    return f"{name}: no key has this variable{hint} (integrity config reference lists them)"


def _placed(key: Key, numbers: list[int]) -> Path:
    left = iter(numbers)
    return tuple(next(left) if part == ANY else part for part in key.path)


def _value(kind: Kind, text: str) -> object:
    """The text as TOML would have it; what does not fit stays text, for the model to refuse."""
    if kind is Kind.LIST:
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind is Kind.SWITCH:
        return _VALUES.get(text.lower(), text)
    if kind is Kind.NUMBER and re.fullmatch(r"-?[0-9]{1,12}", text):
        return int(text)
    return text


def _put(tree: dict[str, Any], path: Path, value: object, name: str, overlay: Overlay) -> None:
    place: Any = tree
    for part, following in itertools.pairwise(path):
        if isinstance(part, int):
            if part > len(place):
                overlay.mistakes.append(
                    f"{name}: there is no table {part} to say this of; the next is {len(place)}"
                )
                return
            if part == len(place):
                place.append({})
            place = place[part]
        else:
            place = place.setdefault(part, [] if isinstance(following, int) else {})
        if not isinstance(place, list if isinstance(following, int) else dict):
            return  # the text has something else there, which the model refuses
    place[path[-1]] = value
    overlay.variables[path] = name
