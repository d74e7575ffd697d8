"""Manifests about invented passengers: the JSON twin, and the same as a PAXLST."""

from collections.abc import Mapping
from typing import Any

import httpx2

from tests.support.actors import Caller
from tests.support.bodies import Json, check_body, entry_body, merged
from tests.support.steps import expect

PATH = "/v1/manifests"
EDIFACT = {"Content-Type": "application/edifact"}
DEPARTURE = "2026-11-24T09:05:00+07:00"


def passenger(subject: Mapping[str, Any], reference: str = "0001", **given: Any) -> Json:
    """A passenger with the first document, the name and the birth date of an entry's subject."""
    asked = check_body(subject)
    del asked["direction"]
    return merged({"reference": reference, **asked}, given)


def stranger(reference: str = "0001") -> Json:
    """A passenger that no entry lists."""
    return passenger(entry_body()["subject"], reference)


def manifest_body(*passengers: Any, direction: str = "entry", **given: Any) -> Json:
    """A manifest of a flight between Sydney and Denpasar that departs on the morning after a test begins."""
    way = ("SYD", "DPS") if direction == "entry" else ("DPS", "SYD")
    return merged(
        {
            "flight": "GA880",
            "direction": direction,
            "departs_at": DEPARTURE,
            "from": way[0],
            "to": way[1],
            "passengers": list(passengers),
        },
        given,
    )


async def send(http: httpx2.AsyncClient, by: Caller, body: Json) -> Json:
    """The answer to a manifest."""
    return expect(await http.post(PATH, json=body, headers=by.headers), 201)


async def read(http: httpx2.AsyncClient, by: Caller, manifest: Json) -> Json:
    """A manifest as it stands now."""
    return expect(await http.get(f"{PATH}/{manifest['id']}", headers=by.headers), 200)


def statuses(manifest: Json) -> list[str | None]:
    """What its asker is told of each passenger."""
    return [item["status"] for item in manifest["items"]]


HEADER = """UNA:+.? '
UNB+UNOA:4+GARUDA:ZZ+CEKAL:ZZ+261123:0300+26112301++APIS'
UNG+PAXLST+GARUDA:ZZ+CEKAL:ZZ+261123:0300+1+UN+D:05B'
UNH+PAX001+PAXLST:D:05B:UN:IATA+GA880'
BGM+745'
RFF+TN:TRX1'
NAD+MS+++GARUDA HELP DESK'
COM+0211234567:TE'
"""
FLIGHT = """TDT+20+GA880+++GA'
LOC+125+SYD'
DTM+189:2611240905:201'
LOC+87+DPS'
DTM+232:2611241230:201'
"""


def listed(asked: Json) -> str:
    """A passenger of the JSON twin as the segments of a PAXLST."""
    person, paper = asked["person"], asked["document"]
    given, _, surname = person["name"].rpartition(" ")
    born = person["birth_date"].replace("-", "")
    return f"""NAD+FL+++{surname}:{given}'
ATT+2++{person["sex"][0].upper()}'
DTM+329:{born[2:]}'
LOC+178+SYD'
LOC+179+DPS'
NAT+2+{person["nationality"]}'
RFF+AVF:LOC{asked["reference"]}'
RFF+ABO:{asked["reference"]}'
DOC+P:110:111+{paper["number"]}'
DTM+36:300131'
LOC+91+{paper["issuing_state"]}'
"""


def paxlst(*passengers: Json, flight: str = FLIGHT, trailer: str | None = None) -> str:
    """The passengers as an interchange whose counts are right, unless a trailer is given."""
    message = f"{flight}{''.join(map(listed, passengers))}CNT+42:{len(passengers)}'\n"
    count = HEADER.count("'\n") - 3 + message.count("'\n") + 1
    trailer = trailer if trailer is not None else f"UNT+{count}+PAX001'\nUNE+1+1'\nUNZ+1+26112301'\n"
    return HEADER + message + trailer


def changes(manifest: Json) -> int:
    """How many answers of a manifest have changed, by its cursor."""
    return int(manifest["cursor"].rpartition(".")[2])
