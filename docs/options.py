"""Writes the table of options in guide.md from the settings that the command line is made of; a test runs it.

python docs/options.py
"""

from pathlib import Path
from typing import Literal, get_args, get_origin

import msgspec

from zoo.api import Recipe, Settings
from zoo.structs import flag, metadata

GUIDE = Path(__file__).with_name("guide.md")
BEGIN, END = "<!-- options: written by docs/options.py -->\n", "<!-- end of options -->\n"


def choices(kind: object) -> tuple[str, ...]:
    """What a field may be, where that is one of a few words."""
    (inner, *_) = get_args(kind) or (None,)
    return get_args(inner) if get_origin(inner) is Literal else ()


def table() -> str:
    """A row for each setting: its option, its default, and what it is."""
    rows = ["| option | default | |", "| --- | --- | --- |"]
    for kind in (Recipe, Settings):
        for field in msgspec.structs.fields(kind):
            about = metadata(kind, field.name)
            default = "" if field.default in (None, "", msgspec.NODEFAULT) else f"`{field.default}`"
            value = about.get("metavar") or "|".join(choices(field.type))
            option = f"{flag(kind, field.name)} {value}".strip().replace("|", "\\|")
            rows.append(f"| `{option}` | {default} | {about['description']} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    before, _, rest = GUIDE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    GUIDE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
