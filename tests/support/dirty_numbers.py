"""Document numbers as people and readers spoil them: each fault leaves a text that means the same document."""

from typing import Final

from app.identity.mrz import check_digit

AROUND: Final = {
    "check digit": "{number}{digit}",
    "check digit behind a filler": "{number}<{digit}",
    "check digit behind a blank": "{number} {digit}",
    "fillers": "{field}<",
    "state behind": "{number}{state}",
    "state before": "{state}{number}",
    "state as a word": "{number} {state}",
    "state as a first word": "{state}-{number}",
    "state in brackets": "{number} ({state})",
    "type before": "P{number}",
    "type and state before": "P<{state}{number}",
    "check digit and state": "{number}{digit}{state}",
    "the zone's rest": "{field}{digit}{state}7005174M",
    "the zone's rest without fillers": "{number}{digit}{state}7005174M",
    "No.": "No. {number}",
    "NO": "NO {number}",
    "numero sign": "\u2116 {number}",
    "PASPOR": "PASPOR {number}",
    "passport no.": "Passport No.: {number}",
    "a word of another script": "\u62a4\u7167 {number}",
    "old and new": "Z 8765432 (lama), {number} (baru)",
    "two numbers": "ZZ805776 ,{number}",
    "two numbers, and": "ZZ8057761 dan {number}",
    "an expiry": "{number} exp 12/2030",
    "a note": "{number} (hilang)",
}
"""What stands around a number, by name."""

_CYRILLIC: Final = "\u0410\u0412\u0421\u0415\u041d\u0406\u041a\u041c\u041e\u0420\u0422\u0425\u0423"
_GREEK: Final = "\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7\u03a5\u0396"
WRITTEN: Final = {
    "Cyrillic": dict(zip("ABCEHIKMOPTXY", _CYRILLIC, strict=True)),
    "Greek": dict(zip("ABEHIKMNOPTXYZ", _GREEK, strict=True)),
    "full width": {chr(code): chr(code + 0xFEE0) for code in range(33, 127)},
    "Arabic digits": {str(digit): chr(0x660 + digit) for digit in range(10)},
    "small letters": {chr(code): chr(code + 32) for code in range(65, 91)},
    "zero-width blanks": {digit: f"{digit}\u200b" for digit in "0123456789"},
    "hyphens": {digit: f"{digit}-" for digit in "0123456789"},
}
"""Which characters stand for its own, by name."""

FAULTS: Final = (*AROUND, *WRITTEN)


def spoiled(fault: str, number: str, state: str = "CHN") -> str:
    """What is sent instead of a number that a state has issued."""
    if fault in WRITTEN:
        return number.translate(str.maketrans(WRITTEN[fault]))
    digit, field = check_digit(number), number.ljust(9, "<")
    return AROUND[fault].format(number=number, digit=digit, field=field, state=state)


PLACEHOLDERS: Final = (
    "N/A", "n.a.", "NIL", "tidak ada", "Belum Ada", "TANPA PASPOR", "-", "0", "000000000", "O0O0O0O0", "XXXXXXX",
    "111111111", "unknown", "HILANG", "dalam proses",
)  # fmt: skip
"""What is written where there is no number."""
