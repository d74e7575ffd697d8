"""Logs are one JSON object a line, with nothing personal in it."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest

from app.kit import logs
from app.kit.redaction import REDACTED, redact_text

KEY = "cekal_01jdabcdefgh_s3cr3tS3cr3t"
NIK = "3171014107800001"
MRZ = "P<IDNSUGIARTO<<BUDI<<<<<<<<<<<<<<<<<<<<<<<<<"
MRZ_2 = "X1234567<6IDN7005174M2501017<<<<<<<<<<<<<<04"

Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def configured(stream: io.StringIO) -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.configure("INFO", json=True, stream=stream)
    yield
    root.handlers[:], root.level = before[0], before[1]
    root.setLevel(before[1])
    logging.getLogger("uvicorn.access").disabled = False


def test_a_line_says_when_who_and_what(lines: Lines):
    logging.getLogger("app.x").info("served %d", 3, extra={"route": "/v1/checks", "ms": 1.5, "ok": True})
    (line,) = lines()
    assert line.pop("at")
    assert line == {
        "level": "INFO",
        "logger": "app.x",
        "message": "served 3",
        "route": "/v1/checks",
        "ms": 1.5,
        "ok": True,
    }


def test_a_lines_time_is_rfc_3339_in_utc(lines: Lines):
    record = logging.LogRecord("app.x", logging.INFO, "", 0, "m", (), None)
    record.created = 1_700_000_000.25
    logging.getLogger("app.x").handle(record)
    assert lines()[0]["at"] == "2023-11-14T22:13:20.250Z"


def test_the_request_is_named_in_every_line(lines: Lines):
    token = logs.correlation.set(logs.Correlation("req-1", "a" * 32))
    try:
        logging.getLogger("app.x").info("m")
        assert logs.current_request_id() == "req-1"
    finally:
        logs.correlation.reset(token)
    assert (lines()[0]["request_id"], lines()[0]["trace_id"]) == ("req-1", "a" * 32)
    assert logs.current_request_id() is None


@pytest.mark.parametrize(
    "key", ["full_name", "nik", "mrz", "Authorization", "document", "api_key", "Set-Cookie"]
)
def test_a_value_under_a_telling_key_is_dropped(lines: Lines, key: str):
    logging.getLogger("app.x").info("m", extra={key: "Budi", "deep": [{key: {"x": "Budi"}}]})
    assert lines()[0][key] == REDACTED
    assert lines()[0]["deep"] == [{key: REDACTED}]


@pytest.mark.parametrize(
    "text",
    [KEY, NIK, MRZ, MRZ_2, f"Bearer {KEY}", "whsec_C2FVsBQIhrscChlQIMV", "P<IDNSUGIARTO<<BUDI"],
)
def test_telling_text_is_blacked_out_wherever_it_stands(lines: Lines, text: str):
    log = logging.getLogger("app.x")
    log.info("before %s, after", text)
    log.info("m", extra={"path": f"/x/{text}", "list": (text, {"k": text}), "odd": RuntimeError(text)})
    token = logs.correlation.set(logs.Correlation(text, "0" * 32))
    try:
        log.info("nik_%s.", text)
    finally:
        logs.correlation.reset(token)
    assert text not in json.dumps(lines())
    assert lines()[0]["message"] == f"before {REDACTED}, after"


def test_a_database_password_is_blacked_out():
    assert redact_text("postgresql://cekal:pw@db/x") == f"postgresql{REDACTED}db/x"


@pytest.mark.parametrize(
    "text",
    [
        "0.1234567890123456",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00f067aa0ba902b7",
        "ent_01jd2k3m4n5p6q7r8s9t0v1w2x",
        "a1234567890123456",
        "GET /v1/checks 200",
        "12345678901234567",
        "2026-11-23T10:00:00.123Z",
    ],
)
def test_harmless_text_is_left_alone(text: str):
    assert redact_text(text) == text


def test_bytes_are_never_written(lines: Lines):
    logging.getLogger("app.x").info("m", extra={"blob": b"\xff\xd8"})
    assert lines()[0]["blob"] == REDACTED


def test_an_exception_tells_where_but_not_what_it_quoted(lines: Lines):
    try:
        try:
            {}["Budi"]
        except KeyError as missing:
            raise ValueError("no Budi") from missing
    except ValueError:
        logging.getLogger("app.x").exception("it broke")
    chain = lines()[0]["exception"]
    assert [link["type"] for link in chain] == ["builtins.ValueError", "builtins.KeyError"]
    assert "test_an_exception_tells" in chain[0]["frames"][0]
    assert "Budi" not in json.dumps(lines())


def test_the_errors_of_a_group_are_described(lines: Lines):
    group = ExceptionGroup("in tasks", [ValueError("no Budi"), KeyError("Budi")])
    logging.getLogger("app.x").error("it broke", exc_info=group)
    kinds = [link["type"] for link in lines()[0]["exception"]]
    assert kinds == ["builtins.ExceptionGroup", "builtins.ValueError", "builtins.KeyError"]
    assert "Budi" not in json.dumps(lines())


def test_at_debug_the_message_is_written_redacted(stream: io.StringIO, lines: Lines):
    logs.configure("DEBUG", stream=stream)
    try:
        int(f"no {NIK}")
    except ValueError:
        logging.getLogger("app.x").exception("it broke")
    assert lines()[0]["exception"][0]["text"].endswith(f"'no {REDACTED}'")


def test_a_person_at_a_terminal_reads_text(stream: io.StringIO):
    logs.configure("INFO", json=False, stream=stream)
    try:
        int("Budi")
    except ValueError:
        logging.getLogger("app.x").exception("it broke", extra={"nik": NIK, "n": 1})
    text = stream.getvalue()
    assert " ERROR app.x it broke nik=[redacted] n=1\n  builtins.ValueError" in text
    assert "Budi" not in text


def test_uvicorn_speaks_the_same_language_and_keeps_no_access_log(lines: Lines):
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7, extra={"color_message": "\x1b"})
    logging.getLogger("uvicorn.access").info("GET /?name=Budi")
    assert [line["message"] for line in lines()] == ["Started server process [7]"]
    assert "color_message" not in lines()[0]


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="LOUD"):
        logs.configure("LOUD")


def test_many_lines_are_written_as_one_would_be(lines: Lines):
    known_as = logs.Correlation(NIK, "b" * 32)
    members = {"route": "/v1/x", "status": 200}
    logs.write_lines("app.x", "answered", [logs.Line(1_700_000_000.25, known_as, members)] * 2)
    line, again = lines()
    assert line == again
    assert line == {
        "at": "2023-11-14T22:13:20.250Z",
        "level": "INFO",
        "logger": "app.x",
        "message": "answered",
        "request_id": REDACTED,
        "trace_id": "b" * 32,
        **members,
    }


def test_many_lines_below_the_level_are_not_written(stream: io.StringIO, lines: Lines):
    logs.configure("WARNING", stream=stream)
    logs.write_lines("app.x", "answered", [logs.Line(0.0, logs.Correlation("r", "t"), {})])
    assert lines() == []


def test_a_message_stays_on_its_line(stream: io.StringIO):
    logs.configure("INFO", json=False, stream=stream)
    logging.getLogger("app.x").info("one\ntwo")
    assert stream.getvalue().endswith("app.x one\\ntwo\n")
