<%!
    def statements(text):
        """Without Alembic's remarks, as in the revisions that are written by hand."""
        return "\n".join(line for line in text.splitlines() if "# ###" not in line).strip()
%>\
<%
    parts = [part for part in ("register", "checks") if f"{part}_upgrades" in context.keys()] or ["register"]
    names = ", ".join(sorted(part.upper() for part in parts))
%>\
<%def name="guarded(direction)">\
% if len(parts) == 1:
    if ${names} not in op.get_context().config.attributes["parts"]:
        return
    ${statements(context.get(f"{parts[0]}_{direction}", "pass"))}
% else:
    parts = op.get_context().config.attributes["parts"]
% for part in parts:
    if ${part.upper()} in parts:
        ${statements(context.get(f"{part}_{direction}")).replace("\n", "\n    ")}
% endfor
% endif
</%def>\
"""${message}."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import ${names}
${imports if imports else ""}

revision = "${up_revision}"
down_revision = "${down_revision}"
branch_labels = None
depends_on = None


def upgrade() -> None:
${guarded("upgrades")}


def downgrade() -> None:
${guarded("downgrades")}
