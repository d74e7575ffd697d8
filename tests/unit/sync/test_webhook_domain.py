"""Schedules, breakers and signatures of webhooks."""

import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook, WebhookVerificationError

from app.sync.webhooks.domain import Priority, delay_after, priority_of
from app.sync.webhooks.signing import Secrets, SecretsUnreadable, signed_headers
from tests.support.tools import fetched

PEPPER = b"a pepper of a test"


def seconds(delay: timedelta | None) -> float | None:
    return None if delay is None else delay.total_seconds()


def test_the_schedule_of_data_is_that_of_standard_webhooks_and_ends() -> None:
    delays = [seconds(delay_after(n, urgent=False, spread=0)) for n in range(1, 11)]
    assert delays == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400, None]


def test_the_schedule_of_alerts_goes_on_every_minute() -> None:
    delays = [seconds(delay_after(n, urgent=True, spread=0)) for n in (1, 2, 3, 4, 5, 6, 7, 1000)]
    assert delays == [2, 5, 10, 20, 30, 60, 60, 60]


def test_delays_differ_by_a_fifth_at_most() -> None:
    drawn = {seconds(delay_after(2, urgent=False)) for _ in range(200)}
    assert len(drawn) > 100
    assert all(240 <= each <= 360 for each in drawn if each is not None)


@pytest.mark.parametrize(
    ("urgent", "failures", "asked", "expected"),
    [
        (False, 1, 3.0, 5),
        (False, 1, 50.0, 50),
        (False, 1, 4000.0, 60),
        (False, 2, 500.0, 500),
        (False, 2, 9999.0, 600),
        (True, 1, 30.0, 30),
        (True, 1, 900.0, 60),
    ],
)
def test_what_a_receiver_asks_for_is_clamped(
    *, urgent: bool, failures: int, asked: float, expected: float
) -> None:
    assert seconds(delay_after(failures, urgent=urgent, retry_after=asked, spread=0)) == expected


def test_only_the_first_attempt_of_an_alert_is_urgent() -> None:
    assert priority_of(urgent=True, step=0) is Priority.URGENT
    assert priority_of(urgent=True, step=1) is Priority.ORDINARY
    assert priority_of(urgent=False, step=0) is Priority.ORDINARY


VECTOR_ID, VECTOR_TIME = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
VECTOR_BODY = b'{"test": 2432232314}'


def test_the_vector_of_the_specification() -> None:
    """Of the reference libraries: their secret, id, time and body give this signature."""
    secrets = Secrets(base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), b"\1" * 32)
    headers = signed_headers(VECTOR_ID, VECTOR_TIME, VECTOR_BODY, [secrets])
    [symmetric, asymmetric] = headers["webhook-signature"].split(" ")
    assert symmetric == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert asymmetric.startswith("v1a,")
    public = Ed25519PrivateKey.from_private_bytes(b"\1" * 32).public_key()
    assert secrets.public_text == "whpk_" + base64.b64encode(public.public_bytes_raw()).decode()
    signed = f"{VECTOR_ID}.{VECTOR_TIME}.".encode() + VECTOR_BODY
    public.verify(base64.b64decode(asymmetric.removeprefix("v1a,")), signed)


@pytest.mark.parametrize(("minutes", "accepted"), [(-6, False), (-4, True), (0, True), (4, True), (6, False)])
def test_the_library_of_the_specification_accepts_times_within_five_minutes(
    minutes: int, *, accepted: bool
) -> None:
    secrets = Secrets.generate()
    at = int((datetime.now(UTC) + timedelta(minutes=minutes)).timestamp())
    headers = signed_headers("epoch-1", at, VECTOR_BODY, [Secrets.generate(), secrets])
    receiver = Webhook(secrets.shared_text)
    if accepted:
        assert receiver.verify(VECTOR_BODY, headers) == json.loads(VECTOR_BODY)
    else:
        with pytest.raises(WebhookVerificationError):
            receiver.verify(VECTOR_BODY, headers)


def test_secrets_are_read_with_the_pepper_and_for_their_endpoint_only() -> None:
    secrets = Secrets.generate()
    kept = secrets.encrypt(PEPPER, "whe_one")
    assert secrets.shared not in kept
    assert secrets.seed not in kept
    assert Secrets.decrypt(kept, PEPPER, "whe_one") == secrets
    assert secrets.encrypt(PEPPER, "whe_one") != kept
    for wrong in (
        (kept, b"another pepper", "whe_one"),
        (kept, PEPPER, "whe_two"),
        (kept[:-1] + bytes([kept[-1] ^ 1]), PEPPER, "whe_one"),
    ):
        with pytest.raises(SecretsUnreadable):
            Secrets.decrypt(*wrong)


RECEIVER = """
import { Webhook } from "standardwebhooks";
import { readFileSync } from "node:fs";
const given = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(new Webhook(given.secret).verify(given.body, given.headers)));
"""


def test_the_library_of_javascript_verifies_what_is_sent(tmp_path: Path) -> None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    (tmp_path / "package.json").write_text('{"private": true, "type": "module"}')
    (tmp_path / "receiver.mjs").write_text(RECEIVER)
    install = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "standardwebhooks@1")
    fetched("standardwebhooks", *install, cwd=tmp_path)
    secrets = Secrets.generate()
    headers = signed_headers("epoch-1", int(datetime.now(UTC).timestamp()), VECTOR_BODY, [secrets])
    given = {"secret": secrets.shared_text, "body": VECTOR_BODY.decode(), "headers": headers}
    answer = subprocess.run(  # noqa: PLW1510 - the assertion says more
        ["node", "receiver.mjs"],
        cwd=tmp_path,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == json.loads(VECTOR_BODY)
