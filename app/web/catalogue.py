"""The catalogue of public problems: meaning, cause and remedy of each slug.

The texts are in `catalogue.toml` next to this module, where a lawyer or a translator can read them.
"""

import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of problem (RFC 9457 section 3.1): everything that does not depend on the occurrence.

    Attributes:
        slug: the stable name; the problem's `type` is `/problems/<slug>`.
        status: the HTTP status of answers with this problem.
        title: a short summary in English.
        title_id: a short summary in Indonesian.
        cause: why the problem happens, with the article of law, if any.
        remedy: what the caller can do.
    """

    slug: str
    status: int
    title: str
    title_id: str
    cause: str
    remedy: str

    @property
    def type(self) -> str:
        """The problem's `type`: a relative reference, served by this service."""
        return f"/problems/{self.slug}"


def _read() -> dict[str, ProblemKind]:
    tables = tomllib.loads((files(__package__) / "catalogue.toml").read_text(encoding="utf-8"))
    return {slug: ProblemKind(slug=slug, **table) for slug, table in tables.items()}


CATALOGUE: dict[str, ProblemKind] = _read()
"""Every problem that this service can answer with, by slug."""
