"""Everything that a deployment may set, by environment (`CEKAL_…`) or a `.env`-style file named in CEKAL_SETTINGS.

What the law leaves open is a setting with a stated default, never a constant in the code.
"""

import shlex
from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, HttpUrl, IPvAnyNetwork, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from app.kit.working_days import Holidays
from app.matching.policy import policy_of
from app.settings_service import Days, Seconds, ServiceSettings

EmailAddress = Annotated[
    str, Field(max_length=254, pattern=r"^[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$")
]

LONGEST_DAYS = 36_500
_DAYS = ("public_holidays", "public_holidays_removed")


class Settings(ServiceSettings):
    """The settings of the register, of one deployment; frozen, and unknown `CEKAL_…` names are refused.

    docs/settings.md describes each of them.
    """

    month_convention: Literal["same_day", "day_before"] = Field(
        "same_day", description="R21: 7 Sep + 6 months ends on 7 Mar (practice), or on 6 Mar (strict)"
    )
    first_request_max_age_days: Days = Field(30, description="R14: how old a first request's letter may be")
    witness_warn_agencies: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="R7: agencies whose exit bans of witnesses only warn"
    )
    urgent_deterrence: bool = Field(True, description="allow the urgent route for entry bans; unsure in law")
    urgent_countersign_first: bool = Field(
        False, description="an urgent entry works only once countersigned; never skips it"
    )
    urgent_breadth_limit: int = Field(
        30,
        ge=0,
        description="travellers of the last 30 days: an urgent entry that would have stopped more of them by name and "
        "birth date alone works only once countersigned; 0: however many",
    )
    breadth_sample: int = Field(
        20_000,
        ge=1000,
        description="travellers that a process holds to count these, some two kB each; of more, so many are drawn by "
        "lot",
    )
    deterrence_extensions: int = Field(1, ge=1, description="R24: how often an entry ban may be extended")
    clock_tolerance_seconds: float = Field(
        5.0,
        ge=0,
        description="an urgent request may be so far ahead of our clock; it then counts as made now",
    )
    countersign_within_hours: int = Field(
        6, ge=1, description="hours after which a missing countersignature of an urgent entry is chased"
    )
    countersign_lapse_hours: int = Field(
        24, ge=1, description="hours after which an urgent entry without a countersignature lapses"
    )
    pending_days: int = Field(
        7,
        ge=0,
        le=30,
        description="R68: days after a measure's end for which checks still refer, never refuse, while papers that "
        "arrived in time are undecided; 0 switches it off",
    )
    withdraw_passport_days: Days = Field(3, description="R42: days to withdraw an Indonesian's passport")
    public_holidays: Annotated[frozenset[date], NoDecode] = Field(
        frozenset(),
        description="comma-separated days, as 2026-12-25, that are no working days beside those that the package "
        "`holidays` knows: Indonesia's public holidays and days of joint leave",
    )
    public_holidays_removed: Annotated[frozenset[date], NoDecode] = Field(
        frozenset(),
        description="comma-separated days that the package `holidays` names, but which are working days",
    )
    decide_amendment_days: Days = Field(
        7, description="days to decide on an amendment; the law names none but for requests (art. 94(6), R18)"
    )
    objection_answer_days: Days = Field(
        10,
        description="working days to answer an objection; UU 6/2011 names none, UU 30/2014 art. 77(4) ten",
    )
    carry_out_objection_days: Days = Field(
        3,
        description="days from a granted objection to the annulment or revocation that must follow; no law sets it",
    )
    photo_retention_days: Days = Field(
        90, le=LONGEST_DAYS, description="R64: days after its end until an entry's photo is erased"
    )
    personal_retention_days: Days | None = Field(
        None,
        le=LONGEST_DAYS,
        description="R64: days after its end until the person is erased from an entry; by default never, until a "
        "schedule of retention is set",
    )
    question_days: Days = Field(
        90,
        description="how long a check's clear question is kept; also addresses in pages, and what officers write in "
        "receipts of drills",
    )
    hit_resolve_minutes: int = Field(
        30, ge=1, description="minutes after which others are notified that no supervisor has resolved a hit"
    )
    manifest_checkpoint: str = Field(
        "CGK",
        min_length=1,
        max_length=32,
        description="code of the checkpoint with supervisors that resolve the hits of a carrier's manifest, if its "
        "journey begins or ends at no active checkpoint here; such hits of a checkpoint's own manifests stay with it",
    )
    carrier_answer_ms: int = Field(
        250,
        ge=0,
        le=10_000,
        description="R48: milliseconds, for each hundred documents, at whose whole multiples a carrier's answer "
        "leaves, so that its time does not show an exit ban; longer than the work takes (`python -m bench.secrecy`)",
    )
    delay_personal_days: Days = Field(
        365, description="how long it is kept who the traveller of a delayed departure was"
    )
    delay_sponsor_days: Days = Field(
        1830,
        description="how long it is kept who had sent them, and in which group; patterns reach back five years",
    )

    list_shrink_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="share of the persons of a published list that a new edition may end; above it `cekal import` "
        "refuses the edition as a part of the list, unless it is run with --allow-shrink",
    )

    letterhead_lines: Annotated[tuple[str, ...], NoDecode] = Field(
        (
            "KEMENTERIAN IMIGRASI DAN PEMASYARAKATAN",
            "REPUBLIK INDONESIA",
            "DIREKTORAT JENDERAL IMIGRASI",
            "Jalan H.R. Rasuna Said Kav. X-6 Nomor 8, Kuningan, Jakarta Selatan 12940",
        ),
        description="head of a letter, line by line, separated by |; names in capitals, the address not",
    )
    letter_city: str = Field("Jakarta", description="where letters are dated")
    letter_signatory: str = Field(
        "Direktur Jenderal Imigrasi", description="in whose name letters are issued"
    )
    letter_wait_seconds: float = Field(5.0, ge=0, le=30, description="how long papers wait for the quorum")
    letter_number: str = Field(
        "{sequence}/{code}/{month}/{year}",
        description="a letter's number; {sequence} is its ledger record's, {month} is Roman",
    )

    statistics_smallest_cell: int = Field(
        5, ge=1, description="least number of persons that a cell of the statistics shows"
    )
    match_policy: dict[str, float] = Field(
        {},
        description='thresholds of name matching that differ from the defaults, as JSON: {"stop_bits": 27}; '
        "app/matching/policy.py says what each does, `cekal evaluate` what a change brings",
    )

    smtp_host: str | None = Field(
        None,
        min_length=1,
        description="server that takes e-mail to officers; without it there is no channel `email`",
    )
    smtp_port: int = Field(587, ge=1, le=65_535, description="its port; with CEKAL_SMTP_TLS=tls mostly 465")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="how its connection is protected; none: not, for a server on this machine"
    )
    smtp_authorities: Path | None = Field(
        None, description="PEM file of who may sign its certificate; by default the system's authorities"
    )
    smtp_user: str | None = Field(None, description="name to log in with; by default no login")
    smtp_password: SecretStr | None = Field(None, description="the password of CEKAL_SMTP_USER")
    smtp_from: EmailAddress | None = Field(
        None, description="sender of e-mails, to which the server reports what it could not deliver"
    )
    smtp_seconds: Seconds = Field(
        20.0, le=300, description="longest time that the sending of one e-mail takes"
    )
    page_command: str | None = Field(
        None,
        description="absolute path of a program that sends an SMS or pages, with arguments: address in "
        "CEKAL_PAGE_ADDRESS, id in CEKAL_PAGE_ID, text on standard input; exit code 0 sent, 75 try again later; "
        "without it there is no channel `command`",
    )
    page_seconds: Seconds = Field(20.0, le=300, description="longest time that it runs; then it is killed")

    quota_streams: int = Field(16, ge=1, description="most streams of one key; further ones get 429")
    quota_polls: int = Field(64, ge=1, description="most long polls of one key at once; above it 429")
    quota_batches: int = Field(2, ge=1, description="batches of checks of one key at once; further ones wait")
    quota_manifests: int = Field(2, ge=1, description="manifests of one key at once; further ones wait")
    quota_waiting: int = Field(
        64, ge=8, description="batches, and manifests, of one key that wait for their turn; above it 429"
    )
    quota_urgent_entries: int = Field(60, ge=1, description="urgent entries of one key at once; above it 429")
    quota_urgent_entries_per_second: Seconds = Field(20.0, description="how many a second are added to these")
    quota_searches: int = Field(60, ge=1, description="searches, and explanations, of one key at once")
    quota_searches_per_second: Seconds = Field(10.0, description="how many a second are added to these")
    quota_exports: int = Field(
        30, ge=1, description="letters, evidence files and statistics of one key at once; above it 429"
    )
    quota_exports_per_second: Seconds = Field(3.0, description="how many a second are added to these")

    quota_hits: int = Field(
        60,
        ge=1,
        description="hits of one key at once; above it a check joins the open hit of its document, or without a "
        "document and NIK that of the same entries",
    )
    quota_hits_per_second: Seconds = Field(0.5, description="how many a second are added to these")
    quota_checkpoint_hits: int = Field(240, ge=1, description="the same for all keys of one checkpoint")
    quota_checkpoint_hits_per_second: Seconds = Field(2.0, description="how many a second are added to these")

    streams_limit: int = Field(10_000, ge=1, description="most streams of a process; above it 503")
    stream_unsent_bytes: int = Field(
        1_048_576,
        ge=65_536,
        description="bytes that wait for a slow reader of a stream; above it the stream is cut",
    )
    stream_minutes: Seconds = Field(
        15.0,
        description="minutes after which a stream is cut, so that its client reconnects and is balanced anew",
    )
    heartbeat_seconds: Seconds = Field(15.0, description="time between two heartbeats of a stream")
    presence_seconds: Seconds = Field(
        45.0, description="how long a silent checkpoint still counts as connected"
    )
    silence_seconds: Seconds = Field(
        120.0, description="R55: after how long the duty officers are notified that a checkpoint is silent"
    )
    daily_drill: bool = Field(
        True,
        description="call a drill at each open checkpoint every day, and test the channels to its contacts",
    )
    drill_at: time = Field(
        time(10),
        description="time of day of the drill in the checkpoint's zone, as 10:00; later where it opens later",
    )
    watchdog_url: HttpUrl | None = Field(
        None,
        description="address of another system that gets a POST each minute in which alerts are escalated; it has to "
        "raise an alarm when they stop",
    )
    acknowledge_seconds: Seconds = Field(60.0, description="R54: when an unacknowledged alert is chased")
    poll_seconds: Seconds = Field(1.0, description="how often the ledger is read when no wake-up came")
    readiness_seconds: Seconds = Field(
        1.0, description="how long a result of /readyz about the databases is reused"
    )
    stale_seconds: Seconds = Field(
        5.0,
        description="when a process that could not read the ledger is degraded: its heartbeats say so, and it is "
        "not ready",
    )

    webhook_networks: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        (),
        description="comma-separated networks in which the addresses of webhook endpoints may be private, and without "
        "https; link-local addresses and those of a cloud's metadata never",
    )
    webhook_full_hosts: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(),
        description="comma-separated hosts to which webhooks may carry records, and not only ids and links, where an "
        "admin demands it",
    )
    webhook_client_certificate: Path | None = Field(
        None,
        description="PEM file with the certificate that webhooks show to receivers (mTLS), and its chain",
    )
    webhook_client_key: Path | None = Field(
        None,
        description="PEM file with that certificate's key, without a password; default: in the same file",
    )
    webhook_log_days: Days = Field(30, description="days that a finished delivery of a webhook is kept")

    @model_validator(mode="before")
    @classmethod
    def _split_rule_lists(cls, values: dict[str, object]) -> dict[str, object]:
        for name in ("witness_warn_agencies", "webhook_networks", "webhook_full_hosts", *_DAYS):
            raw = values.get(name)
            if isinstance(raw, str):
                values[name] = [part.strip() for part in raw.split(",") if part.strip()]
        head = values.get("letterhead_lines")
        if isinstance(head, str):
            values["letterhead_lines"] = [line.strip() for line in head.split("|") if line.strip()]
        return values

    @field_validator("match_policy")
    @classmethod
    def _thresholds_exist(cls, given: dict[str, float]) -> dict[str, float]:
        policy_of(given)
        return given

    @field_validator("letter_number")
    @classmethod
    def _letter_numbers_are_unique(cls, text: str) -> str:
        try:
            numbers = {text.format(sequence=n, code="CEGAH", month="XI", year=2026) for n in (1, 2)}
        except (LookupError, ValueError):
            raise ValueError("it may hold {sequence}, {code}, {month} and {year} only") from None
        if len(numbers) == 1:
            raise ValueError("it must hold {sequence}: no two letters share a number")
        return text

    @field_validator("page_command")
    @classmethod
    def _page_command_runs_without_a_shell(cls, given: str | None) -> str | None:
        if given is not None and not given.startswith("/"):
            raise ValueError("it begins with the absolute path of a program")
        try:
            shlex.split(given or "")
        except ValueError as error:
            raise ValueError(f"its quotes are not closed: {error}") from None
        return given

    @model_validator(mode="after")
    def _mail_is_whole_and_passwords_travel_protected(self) -> Self:
        if (self.smtp_host is None) != (self.smtp_from is None):
            raise ValueError("CEKAL_SMTP_HOST and CEKAL_SMTP_FROM need each other")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("CEKAL_SMTP_USER and CEKAL_SMTP_PASSWORD need each other")
        if self.smtp_user is not None and self.smtp_tls == "none":
            raise ValueError("CEKAL_SMTP_PASSWORD would travel in the clear with CEKAL_SMTP_TLS=none")
        return self

    @field_validator("webhook_full_hosts")
    @classmethod
    def _hosts_in_small_letters(cls, given: frozenset[str]) -> frozenset[str]:
        return frozenset(host.lower() for host in given)

    @model_validator(mode="after")
    def _a_client_key_is_of_a_certificate(self) -> Self:
        if self.webhook_client_key is not None and self.webhook_client_certificate is None:
            raise ValueError("CEKAL_WEBHOOK_CLIENT_KEY needs CEKAL_WEBHOOK_CLIENT_CERTIFICATE")
        return self

    @model_validator(mode="after")
    def _connected_is_not_missed(self) -> Self:
        if self.silence_seconds < self.presence_seconds:
            raise ValueError("CEKAL_SILENCE_SECONDS is at least CEKAL_PRESENCE_SECONDS")
        return self

    @property
    def holidays(self) -> Holidays:
        """The public holidays and days of joint leave of this deployment."""
        return Holidays(self.public_holidays, self.public_holidays_removed)
