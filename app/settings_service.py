"""Settings of the service itself: its files, logs, keys, TLS, and limits of connections and of requests."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote

from pydantic import Field, IPvAnyNetwork, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.kit.pepper import pepper_of

Seconds = Annotated[float, Field(gt=0)]
Days = Annotated[int, Field(ge=1)]
Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$")]
RegisterName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?$")]


class ServiceSettings(BaseSettings):
    """The settings that the register and a witness have in common; frozen, and unknown names are refused."""

    model_config = SettingsConfigDict(env_prefix="CEKAL_", frozen=True, extra="forbid", env_ignore_empty=True)

    env: Literal["production", "test"] = Field(
        "production",
        description="test allows a clock that tests set; never on a machine that serves checkpoints",
    )
    data_dir: Path = Field(
        Path("cekal-data"),
        description="folder of SQLite's files and of the pepper's; made if it is not there",
    )
    database_url: str = Field(
        "",
        description="the register's database: postgresql://user:password@host:port/name, or sqlite:///path; by default "
        "register.db in CEKAL_DATA_DIR",
    )
    test_clock: Path | None = Field(
        None,
        description="with CEKAL_ENV=test: a file that holds the time, which is read in place of the clock",
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="the least severe messages that are logged, in capitals or not"
    )
    log_json: bool = Field(True, description="log a JSON object a line; false: plain text")
    metrics_bind: str | None = Field(
        None, description="host:port of a listener of its own for /metrics, without a key"
    )
    trace_endpoint: Annotated[str, Field(pattern=r"^https?://")] | None = Field(
        None,
        description="address of an OTLP receiver, as http://127.0.0.1:4318/v1/traces, to which the way of each alert "
        "is sent as a trace; it needs the packages of cekal[trace]",
    )
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        (), description="comma-separated networks whose X-Forwarded-For is believed"
    )

    cors_origins: Annotated[tuple[Origin, ...], NoDecode] = Field(
        (), description="comma-separated origins, as https://desk.example, whose web pages may call (CORS)"
    )

    key_pepper: SecretStr | None = Field(
        None,
        description="the pepper: key of the keyed hashes of document numbers, as text or as hex: and digits; by "
        "default that of the file key-pepper in the data directory, which `cekal migrate` makes once",
    )
    register_name: RegisterName | None = Field(
        None,
        description="host-like name of the register in its signed heads, as cekal.example.go.id; stored by the first "
        "`cekal migrate` and never changed; by default cekal.local",
    )
    signing_keys: Path | None = Field(
        None,
        description="folder of the private keys that sign the ledger's heads, PEM files of mode 0600; by default "
        "signing-keys in CEKAL_DATA_DIR, where `cekal migrate` makes what is missing",
    )
    witness_policy: Path | None = Field(
        None, description="file of witnesses that heads are pushed to, and of the quorum (C2SP tlog-policy)"
    )
    mark_file: Path | None = Field(
        None,
        description="file of the highest signed head, by which a database that was put back to an earlier state is "
        "noticed; best on another disk; by default register.mark in CEKAL_DATA_DIR",
    )
    head_valid_seconds: Seconds = Field(
        180.0, ge=90, description="how long a signed head is fresh: its `valid_until`; later it is an alarm"
    )
    log_public: bool = Field(False, description="answer /log without a key: it holds nothing personal")
    key_lifetime_days: Days = Field(
        365, description="days until a new key expires, where the request for it names no end"
    )
    failed_keys_per_minute: int = Field(
        10, ge=1, description="failed attempts with one key id from one address, until it is slowed"
    )
    failed_keys_per_address: int = Field(
        60, ge=1, description="failed attempts a minute from one address, with any keys, until it is slowed"
    )

    tls_certificate: Path | None = Field(
        None,
        description="PEM file with the certificate of this host and its chain: `cekal serve` then speaks TLS only",
    )
    tls_key: Path | None = Field(
        None, description="PEM file with the certificate's key, without a password; default: in the same file"
    )

    pool_size: int = Field(
        10,
        ge=2,
        description="connections to PostgreSQL for ordinary reads; half as many for writes, and 24 for checks, urgent "
        "entries, keys, streams, webhooks and the worker",
    )
    database_seconds: Seconds = Field(
        30.0,
        ge=1,
        description="longest exchange with PostgreSQL: a statement, an idle transaction, a packet that is not "
        "confirmed; connecting, and waiting for a lock, at most five seconds of it; for `cekal import`, `migrate` and "
        "other commands it is an hour",
    )
    answer_seconds: Seconds = Field(
        10.0,
        description="longest wait of a request, from its arrival, for everything but its sender and the wait that it "
        "asks for; above it 503; a check's is five seconds",
    )
    body_timeout_seconds: Seconds = Field(
        15.0, description="longest wait for the next part of an announced body; above it 408"
    )

    request_line_bytes: int = Field(8192, ge=512, description="longest target of a request; above it 431")
    header_fields: int = Field(100, ge=16, description="most headers of a request; above it 431")
    header_bytes: int = Field(
        16_384, ge=2048, description="longest headers of a request together; above it 431"
    )
    header_seconds: Seconds = Field(
        15.0,
        description="for a request's headers, else 408; for a TLS handshake, else closed without an answer",
    )
    idle_seconds: Seconds = Field(
        10.0, description="how long a connection may be without a request before a valid key was seen on it"
    )
    known_idle_seconds: Seconds = Field(300.0, description="the same, once a valid key was seen on it")
    connections_limit: int = Field(
        12_000, ge=100, description="most connections of a process; fewer where `nofile` allows fewer"
    )
    connections_reserve: int = Field(
        2000, ge=0, description="how many of these are for addresses from which a valid key has come"
    )
    connections_per_address: int = Field(
        512, ge=1, description="most connections of one address on which no valid key was seen"
    )
    connections_per_key: int = Field(
        1024, ge=8, description="most connections of one key; further ones close after each answer"
    )

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: dict[str, object]) -> dict[str, object]:
        for name in ("trusted_proxies", "cors_origins"):
            raw = values.get(name)
            if isinstance(raw, str):
                values[name] = [part.strip() for part in raw.split(",") if part.strip()]
        return values

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, given: object) -> object:
        return given.upper() if isinstance(given, str) else given

    @field_validator("key_pepper")
    @classmethod
    def _pepper_is_a_key(cls, given: SecretStr | None) -> SecretStr | None:
        if given:
            pepper_of(given.get_secret_value())
        return given

    @model_validator(mode="after")
    def _strangers_have_room(self) -> Self:
        if self.connections_reserve >= self.connections_limit:
            raise ValueError("CEKAL_CONNECTIONS_RESERVE is less than CEKAL_CONNECTIONS_LIMIT")
        return self

    @model_validator(mode="after")
    def _a_key_is_of_a_certificate(self) -> Self:
        if self.tls_key is not None and self.tls_certificate is None:
            raise ValueError("CEKAL_TLS_KEY needs CEKAL_TLS_CERTIFICATE")
        return self

    @model_validator(mode="after")
    def _test_clock_only_in_tests(self) -> Self:
        if self.test_clock is not None and self.env != "test":
            raise ValueError("CEKAL_TEST_CLOCK works only with CEKAL_ENV=test")
        return self

    @property
    def url(self) -> str:
        """The database's address: `sqlite:///path` or `postgresql://…`."""
        return self.database_url or "sqlite:///" + quote(str(self.data_dir / "register.db"))
