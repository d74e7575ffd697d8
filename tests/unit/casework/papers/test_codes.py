"""A letter's code at a million records: scanned from paper, judged by the short program, and every forgery refused."""

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageFilter

from app.casework.papers.domain import Proof
from app.casework.papers.letter import code as codes
from app.casework.papers.letter import pdf, proofs, qr
from app.kit.canonical import canonical
from app.tlog.keys import KeyKind, SigningKey
from tests.support import letters
from tests.support.proofs import (
    PROGRAMS,
    SIGNED_AT,
    WITNESSES,
    Ledger,
    code_of,
    content_of,
    judged,
    judged_apart,
    key,
)
from tests.unit.casework.papers.examples import LEDGER, active, letter, photo, proof, told

RECORD = told(active(), sequence=777_777).record
HEAD, PATH = LEDGER.head(RECORD)
LEAF = canonical(RECORD.leaf)
DATA = codes.content(LEAF, PATH, HEAD.note)


def scanned(page: Image.Image) -> list[str]:
    """The codes on a page that was scanned askew and out of focus, and kept as a small JPEG."""
    turned = page.rotate(2, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    kept = io.BytesIO()
    turned.filter(ImageFilter.GaussianBlur(1.2)).save(kept, "JPEG", quality=70)
    with Image.open(kept) as image:
        return [each.text for each in zxingcpp.read_barcodes(image, zxingcpp.BarcodeFormat.QRCode)]


def test_a_letter_on_paper_is_verified_and_a_forged_one_refused(tmp_path: Path):
    of = told(active(), sequence=777_777)
    genuine = proof(of)
    forged_leaf = canonical(of.record.leaf).replace(b'"ends_on":"2027', b'"ends_on":"2026')
    head, path = LEDGER.head(of.record)
    assert genuine.code is not None
    assert forged_leaf != canonical(of.record.leaf)
    forged = Proof(codes.text(codes.content(forged_leaf, path, head.note)), genuine.facts, genuine.explained)
    said = []
    for each in (genuine, forged):
        document = pdf.render(replace(letter(of), proof=each), photo())
        (code,) = [code for page in letters.pictures(document, 150) for code in scanned(page)]
        assert code == each.code
        said.append(judged_apart(tmp_path, LEDGER.policy, code))
    (accepted, words), (refused, why) = said
    assert (accepted, refused) == (0, 1), (words, why)
    assert words.startswith(f"OK: the ledger of {LEDGER.origin} has, among 1000000 records: {{")
    assert canonical(of.record.leaf).decode() in words
    assert "the signature of" in why
    assert "does not fit this record" in why


def test_its_size_is_what_the_documents_say():
    text = codes.text(DATA)
    assert 1350 < len(DATA) < 1410
    assert text == code_of(DATA)
    modules = qr.encoded(text)
    assert len(modules) == 141, "version 31, as bytes alone would need"
    assert round(qr.QrCode(text).side / pdf.MM, 1) == 89.4


@pytest.mark.parametrize("size", [1, 100, 1785, 1786, codes.LARGEST])
def test_any_content_up_to_the_largest_is_drawn(size: int):
    text = codes.text(bytes([2]) * size)
    assert text == code_of(bytes([2]) * size) if size < 1786 else text.removeprefix(codes.PREFIX).isdigit()
    drawn = Image.new("L", (8 * 200, 8 * 200), 255)
    modules = qr.encoded(text)
    for row, dark in enumerate(modules):
        for column, on in enumerate(dark):
            if on:
                drawn.paste(0, (40 + 8 * column, 40 + 8 * row, 48 + 8 * column, 48 + 8 * row))
    (found,) = zxingcpp.read_barcodes(drawn, zxingcpp.BarcodeFormat.QRCode)
    assert found.text == text


def forged(at: int, data: bytes = DATA) -> bytes:
    """The content with one bit changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


ORIGIN_ENDS = 2 + DATA[1]
PATH_BEGINS = ORIGIN_ENDS + 9
SIGNATURES_BEGIN = PATH_BEGINS + 32 * len(PATH) + 1
OTHER = Ledger(origin="another.example/1")
SAME_NAME = Ledger()
PLAIN = SigningKey.generate(KeyKind.TIMED_ED25519)

REFUSED = {
    "a leaf that was changed": (LEDGER, LEAF.replace(b'"state":"active"', b'"state":"ended"'), None, "does not fit"),
    "a leaf that claims another index": (LEDGER, LEAF.replace(b"777777", b"777776"), None, "does not fit"),
    "a leaf beyond the tree": (LEDGER, LEAF.replace(b'777777,"s', b'1777777,"s'), None, "not one of this record"),
    "another register's head": (OTHER, LEAF, None, "a log that the policy does not name"),
    "a register of the same name": (SAME_NAME, LEAF, None, "no trusted key of"),
    "one witness of two": (LEDGER, LEAF, WITNESSES[:1], "no quorum"),
    "no witness": (LEDGER, LEAF, (), "no quorum"),
    "other witnesses of the same names": (
        Ledger(log=LEDGER.log), LEAF, None, "no quorum: the cosignatures do not make up all",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_forgery_is_refused_with_its_reason(tmp_path: Path, what: str):
    ledger, leaf, witnesses, why = REFUSED[what]
    head, path = ledger.head(RECORD, witnesses)
    told = judged(tmp_path, LEDGER.policy, codes.text(codes.content(leaf, path, head.note)))
    assert told[0] == 1, told
    assert told[1].startswith("WRONG: "), told
    assert why in told[1]
    assert told[1].count("\n") == 1


SPOILT = {
    "the origin": (forged(10), "does not name"),
    "the size": (forged(ORIGIN_ENDS + 7), "does not fit"),
    "the path": (forged(PATH_BEGINS + 40), "does not fit"),
    "a shorter path": (
        DATA[: PATH_BEGINS - 1] + bytes([len(PATH) - 1]) + DATA[PATH_BEGINS + 32 :], "not one of this record",
    ),
    "a longer path": (
        DATA[: PATH_BEGINS - 1] + bytes([len(PATH) + 1]) + bytes(32) + DATA[PATH_BEGINS:], "not one of this record",
    ),
    "the register's signature": (forged(SIGNATURES_BEGIN + 70), f"the signature of {LEDGER.origin}"),
    "the time of a cosignature": (forged(SIGNATURES_BEGIN + 76 + 11), f"the signature of {WITNESSES[0]}"),
    "a witness's key": (forged(SIGNATURES_BEGIN + 76 + 3), "no quorum"),
    "another format": (forged(0), "no letter's code of format 2"),
    "the end is missing": (DATA[:-40], "no whole code"),
    "half of it": (DATA[:700], "no whole code"),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILT)
def test_a_spoilt_code_is_refused_with_its_reason(tmp_path: Path, what: str):
    data, why = SPOILT[what]
    told = judged(tmp_path, LEDGER.policy, code_of(data))
    assert (told[0], told[1].startswith("WRONG: "), told[1].count("\n")) == (1, True, 1), told
    assert why in told[1]


@pytest.mark.parametrize(
    "code",
    ["", "CEKAL/2/", codes.text(DATA)[:-30], codes.text(DATA)[:-1], "CEKAL/1/2/A/B/{}", "https://x.example"],
)
def test_what_is_no_whole_code_is_refused(tmp_path: Path, code: str):
    returned, words = judged(tmp_path, LEDGER.policy, code)
    assert returned == 1
    assert words.startswith("WRONG: this is no")


def test_the_policy_of_the_reader_decides(tmp_path: Path):
    w0, w1, other = (
        f"witness w{i} {each}\n"
        for i, each in enumerate(
            (*(LEDGER.witnesses[name].verifier(name) for name in WITNESSES), key().verifier("w.example"))
        )
    )
    log = f"# a log\n\nlog {LEDGER.log.verifier(LEDGER.origin)} https://log.example\n"
    head, path = LEDGER.head(RECORD, WITNESSES[1:])
    code = codes.text(codes.content(LEAF, path, head.note))
    verdicts = {
        "quorum none": 0,
        "quorum w0": 1,
        "quorum w1": 0,
        "group g any w0 w1 w2\nquorum g": 0,
        "group g 2 w0 w1 w2\nquorum g": 1,
        "group g all w1\ngroup h 1 g w0\nquorum h": 0,
        "": 1,
    }
    for end, wanted in verdicts.items():
        assert judged(tmp_path, f"{log}{w0}{w1}{other}{end}\n", code)[0] == wanted, end


def test_a_tree_of_one_record(tmp_path: Path):
    ledger, record = Ledger(size=1), told(active(), sequence=1).record
    head, path = ledger.head(record)
    assert path == []
    code = codes.text(codes.content(canonical(record.leaf), path, head.note))
    assert judged(tmp_path, ledger.policy, code)[0] == 0


def test_the_program_is_short_and_has_no_code_of_ours():
    for name, most in (("verify", 47), ("verify_file", 40)):
        text = (PROGRAMS / f"{name}.txt").read_text()
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        assert len(lines) <= most
        assert max(map(len, text.splitlines())) <= 120
        assert not re.search(r"\b(app|cekal)\b", text)


def test_a_code_holds_the_signatures_that_it_is_given_and_no_others():
    _, size, path, signatures, leaf = letters.read_code(codes.text(DATA))
    assert (size, path, leaf) == (1_000_000, PATH, LEAF)
    keys = [LEDGER.log.verifier(LEDGER.origin), *(LEDGER.witnesses[n].verifier(n) for n in WITNESSES)]
    assert [each[:4] for each in signatures] == [each.key_id for each in keys]
    assert {int.from_bytes(each[4:12], "big") for each in signatures} == {SIGNED_AT}
    fewer = codes.chosen(HEAD.note, keys[0], keys[2:])
    assert [each.name for each in fewer.signatures] == [LEDGER.origin, WITNESSES[1]]
    assert content_of(codes.text(DATA)) == DATA
    assert proofs.proof_of(RECORD, HEAD, PATH).code == codes.text(DATA)


@pytest.mark.parametrize(
    ("program", "arguments"),
    [("verify", []), ("verify", ["a", "b", "c"]), ("verify_file", []), ("verify_file", ["a", "notes.txt"])],
)
def test_a_program_says_how_it_is_called(tmp_path: Path, program: str, arguments: list[str]):
    for name in ("verify", "verify_file"):
        (tmp_path / f"{name}.py").write_text((PROGRAMS / f"{name}.txt").read_text())
    (tmp_path / "notes.txt").write_text("no archive")
    command = [sys.executable, "-E", "-s", f"{program}.py", *arguments]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith(f"Usage: python {program}.py POLICY ")
    assert len(told.stderr.splitlines()) == 1
