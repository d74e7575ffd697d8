"""Routes to file, list and read supervision reports."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.access.admission.guard import GuardedRoute, reader_for, unit_for
from app.access.domain import Role
from app.db.unit import Reader, Unit
from app.register.supervision import service
from app.register.supervision.schemas import SupervisionReportIn, SupervisionReportOut
from app.web.etag import UNCHANGED, IfNoneMatch, etag_of, not_modified
from app.web.openapi import REPEATS, problems
from app.web.openapi_headers import carrying
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_last_id

router = APIRouter(prefix="/supervision-reports", tags=["supervision"], route_class=GuardedRoute)

ReportReader = Annotated[
    Reader, reader_for(Role.TIMPORA, Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.AUDITOR)
]
ReportId = Annotated[str, Path(max_length=40, description="The report's id.")]


@router.post(
    "",
    status_code=201,
    summary="File a supervision report",
    response_description="The report was filed under a number of the register.",
    responses={**carrying(201, "ETag", "Location"), **problems("validation", "wrong-agency", *REPEATS)},
)
async def file_supervision_report(
    unit: Annotated[Unit, unit_for(Role.TIMPORA)], body: SupervisionReportIn, response: Response
) -> SupervisionReportOut:
    """Report to Immigration what was seen of a foreigner; the register gives the report its number."""
    report = await service.file(unit, body.observed())
    response.headers["Location"] = f"/v1/supervision-reports/{report.id}"
    response.headers["ETag"] = etag_of(1, [], None)
    return SupervisionReportOut.of(report, [])


@router.get(
    "",
    summary="List supervision reports",
    response_description="A page of reports, newest first.",
    responses=problems("validation", "wrong-agency"),
)
async def list_supervision_reports(
    reader: ReportReader, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[SupervisionReportOut]:
    """List reports, newest first: a team sees its province's reports, Immigration's officers and auditors see all."""
    before = decode_last_id(cursor)
    rows = await service.list_page(reader, before, limit + 1)
    page, after = cut(rows, limit, lambda report: (report.id,))
    grounds = await service.list_based_entries(reader, page)
    return Page(items=[SupervisionReportOut.of(each, grounds[each.id]) for each in page], next_cursor=after)


@router.get(
    "/{report_id}",
    summary="Read a supervision report",
    response_description="The report, and the entries that rest on it.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=SupervisionReportOut,
)
async def read_supervision_report(
    reader: ReportReader, report_id: ReportId, response: Response, if_none_match: IfNoneMatch = None
) -> SupervisionReportOut | Response:
    """Read one report, with the entries that are based on it."""
    report = await service.get(reader, report_id)
    grounds = (await service.list_based_entries(reader, [report]))[report.id]
    response.headers["ETag"] = tag = etag_of(1, grounds, report.erased_at)
    return not_modified(if_none_match, tag) or SupervisionReportOut.of(report, grounds)
