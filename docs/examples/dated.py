"""Write the bodies of this folder into another one, dated today: the law refuses letters of more than thirty days.

    python docs/examples/dated.py FOLDER

They are written for Monday 23 November 2026. Each day near it is moved by as many days as have passed since in Jakarta;
births and the last days of passports are far from it, and stay.
"""

import re
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

WRITTEN_FOR = date(2026, 11, 23)
NEAR = range(2026, 2028)
JAKARTA = timedelta(hours=7)


def main(folder: Path) -> None:
    moved = (datetime.now(UTC) + JAKARTA).date() - WRITTEN_FOR

    def later(found: re.Match[str]) -> str:
        before, year, dash, month, day = found.groups()
        when = date(int(year) if dash else 2000 + int(year), int(month), int(day))
        if when.year not in NEAR:
            return found[0]
        return before + (when + moved).strftime("%Y-%m-%d" if dash else "%y%m%d")

    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(Path(__file__).parent.iterdir()):
        if file.suffix in {".json", ".ndjson", ".xml", ".edi"}:
            text = file.read_text("utf-8")
            text = re.sub(r"(\b)(\d{4})(-)(\d\d)-(\d\d)", later, text)
            text = re.sub(r"(DTM\+(?:189|232):)(\d\d)()(\d\d)(\d\d)", later, text)
            (folder / file.name).write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
