"""`cekal witnesses`: the witnesses of the register's log, and which of them lag."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.failures import Refused
from app.cli.printing import print_json, print_table
from app.cli.register import with_register

if TYPE_CHECKING:
    from app.runtime import Runtime

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def witnesses(as_json: Json = False) -> None:
    """List the witnesses that cosign the ledger's signed heads, what each cosigned last, and which of them lag.

    A register has witnesses once CEKAL_WITNESS_POLICY names them with their addresses. A witness lags if all attempts
    of more than 90 seconds have failed, or if it has not cosigned the newest head 90 seconds after its signing.
    `failure` is the reason of the last failed attempt. The last line says whether the newest head has the quorum: as
    many cosignatures as the policy demands.

    For example:

        cekal witnesses --json

    Settings: CEKAL_WITNESS_POLICY, CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    found = with_register(_states)
    if as_json:
        print_json(found)
        return
    rows = found["witnesses"]
    if rows:
        print_table(list(rows[0]), [["" if cell is None else cell for cell in row.values()] for row in rows])
    newest = found["head"]
    if newest is None:
        typer.echo("No head was signed yet.")
    else:
        has = "has" if newest["witnessed"] else "does not have"
        typer.echo(f"The newest head, of {newest['size']} records, {has} the quorum.")


async def _states(runtime: "Runtime") -> dict[str, Any]:
    from app.access.domain import SYSTEM
    from app.kit.clock import rfc3339
    from app.sync.heads.service import head_to_push
    from app.sync.witnesses import service

    policy = service.read_policy(runtime.settings)
    if policy is None:
        raise Refused("CEKAL_WITNESS_POLICY is not set: the register has no witnesses.", usage=True)
    async with runtime.reading(SYSTEM) as reader:
        head = await head_to_push(reader)
        states = await service.list_states(reader, policy)
        witnessed = head is not None and await service.is_witnessed(reader, policy, head.epoch, head.size)
        now = reader.now
    return {
        "head": head and {"size": head.size, "signed_at": rfc3339(head.signed_at), "witnessed": witnessed},
        "witnesses": [
            {
                "url": each.url,
                "size": each.size_in(head.epoch) if head else each.size,
                "cosigned_at": rfc3339(each.cosigned_at) if each.cosigned_at else None,
                "lags": head is not None and each.lags(head, now),
                "failing_since": rfc3339(each.failing_since) if each.failing_since else None,
                "failure": each.failure or None,
            }
            for each in states
        ],
    }
