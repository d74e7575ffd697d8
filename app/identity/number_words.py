"""The words and signs that officers, carriers and older registers write around document numbers."""

import re
from importlib.resources import files
from typing import Final

SHORTEST_WITH_ADDITION: Final = 7
"""Fewest characters of a text that may be a number with an addition, such as a check digit or a state's code."""

_NUMBER: Final = r"(?:no(?:mor|mer|s)?|nr|num(?:ber|ero|b)?)"
_PAPER: Final = (
    r"(?:(?:buku\s*)?(?:pass?port|paspor|pasfor|passeport|pasaporte|paspoort|passaporto|reisepass|document)"
    r"|travel\s*doc(?:ument)?|dokumen(?:\s*perjalanan)?|identity\s*card|id\s*card|kartu\s*identitas|splp|ktp|kitas)"
    r"(?:e?s?(?![a-z0-9]))?"
)
LABEL: Final = re.compile(
    rf"""
    [\s.:;\#=*_/-]+                                            # signs before the number
    | {_PAPER}(?:\s+(?:ri|dinas|diplomatik|biasa|number)\b)?[\s.:;\#=*_/-]*
      (?:{_NUMBER}[\s.:;\#=*_-]+(?=[a-z]{{0,3}}\s?[0-9])
        |(?:nom[oe]r|nos|num(?:ber|ero|b)?)(?=[a-z]{{0,3}}\s?[0-9])
        |n[or](?=[a-z]{{1,3}}\s?[0-9]))?                       # but "NO123456" may be a number of the series NO
    | nom[oe]r[\s.:;\#=-]*
    | num(?:ber|ero)[\s.:;\#=-]*
    | (?:{_NUMBER}|id|pp|ppt|dok|doc|pass?|nik|td)\s*(?:[:\#=]\s*|\.\s*(?=[a-z0-9]))   # "No.", "ID:"
    | (?:{_NUMBER}|id|pp|ppt|dok|doc|pass?|nik|td)\s+(?=[a-z]{{1,3}}\s?[0-9])          # "NO X1234567"
    | (?-i:N[or]\s*(?=[A-Z0-9])|n[or]\s+(?=[A-Z0-9]))                                   # "No 123", not "NO 123"
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Matches a label before a number."""

FOREIGN_LABEL: Final = re.compile(
    r"(?:загран)?паспорт\w*|номер|серия|護照|护照|旅券|パスポート|여권|번호|番号|番號|號碼|号码|หนังสือเดินทาง|เลขที่"
    r"|جواز(?:\s*السفر|\s*سفر)?|رقم|διαβατήριο|αριθμός",
    re.IGNORECASE,
)
"""Matches a label in another script, whose letters would otherwise be replaced by similar Latin ones."""

BESIDE: Final = re.compile(
    r"\b(?:exp(?:ir\w*)?\b|berlaku|masa berlaku|s/d\b|sampai|hingga|valid|until|issued|dikeluarkan|diterbitkan|terbit"
    r"|tgl\b|tanggal|dated|born|lahir|a\.?n\.?\s|atas nama|dob\b)",
    re.IGNORECASE,
)
"""Matches the beginning of a remark after a number, such as a date of expiry."""

DAY: Final = re.compile(r"\s*[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}\s*").fullmatch
"""Matches a date next to a number."""

PARTING: Final = re.compile(
    r"[,;|&+\n]|\b(?:dan|and|atau|or|serta|et|juga|also)\b|(?<=[0-9])\s*/\s*(?=[A-Z]{1,3}\s?[0-9]{6})",
    re.IGNORECASE,
)
"""Matches a separator of two numbers."""


def _words(kind: str) -> frozenset[str]:
    rows = (files(__package__) / "data" / "number_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for row in rows if row.startswith(f"{kind} ") for word in row.split()[1:])


BRACKET: Final = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
"""Matches a pair of brackets, with their contents as the first group."""

NOTES: Final = _words("note")
"""Words next to a number that describe the document."""

NOTHING: Final = _words("nothing")
"""Texts that mean "no number", in normal form."""
