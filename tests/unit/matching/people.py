"""Made-up people to match, and how they are asked about."""

import random
from collections.abc import Iterable
from datetime import date, timedelta

from app.identity.births import Birth
from app.matching.keys import stored_days, stored_keys
from app.matching.persons import KnownPerson, QueriedPerson
from app.matching.retrieval import Index

TODAY = date(2026, 11, 23)

_BORN_FROM = date(1945, 1, 1)
_BORN_DAYS = 60 * 365

WORDS = """
    Agus Budi Dewi Siti Nur Sri Ahmad Wahyu Hidayat Setiawan Santoso Wibowo Saputra Putra Putri Pratama Rahman Lestari
    Wijaya Hadi Ratna Indra Kurniawan Susanti Rina Hendra Irawan Andi Ari Tri Eka Dwi Fitri Dian Yusuf Umar Usman Anwar
    Aditya Agung Akbar Arif Bagus Bambang Bayu Cahyo Candra Dani Dedi Eko Endang Erwin Fajar Fauzi Firman Gunawan Hakim
    Harun Hartono Hasanah Herman Ika Imam Indah Irfan Iskandar Jaya Joko Kartika Kusuma Latif Lina Lukman Maulana
    Mulyadi Nasution Nugroho Permata Prasetyo Purnomo Puspita Rahayu Ramadhan Rizki Rudi Sari Simanjuntak Siregar
    Sitorus Slamet Sugeng Suharto Sulaiman Suparman Surya Susanto Sutrisno Taufik Teguh Utami Wulandari Yuliana Yunita
    Zainal Zulkifli
""".split()  # noqa: SIM905 - a list of names reads best as one


def asked(name: str, born: str = "") -> QueriedPerson:
    """A traveller with a name and perhaps a birth date."""
    return QueriedPerson.of([name], [Birth(date=born)] if born else [])


def listed(name: str, born: str = "", weak: Iterable[str] = ()) -> KnownPerson:
    """A listed person with a name and perhaps a birth date."""
    return KnownPerson.of([name], weak, [Birth(date=born)] if born else [])


def index_of(people: Iterable[tuple[str, KnownPerson]]) -> Index[str]:
    """An index in memory of listed people."""
    index: Index[str] = Index()
    for who, person in people:
        index.add(who, stored_keys(person.names, person.births), stored_days(person.names, person.births))
    return index


def random_name(chance: random.Random) -> str:
    """A name of two or three common words."""
    return " ".join(chance.sample(WORDS, chance.choice((2, 2, 3))))


def random_day(chance: random.Random) -> str:
    """A birth date within sixty years."""
    return (_BORN_FROM + timedelta(days=chance.randrange(_BORN_DAYS))).isoformat()
