"""Rows of webhooks are read by position: the columns of a table are the attributes of its dataclass, in order."""

from dataclasses import fields

import pytest
from sqlalchemy import Table

from app.sync.webhooks import tables
from app.sync.webhooks.domain import Delivery, Endpoint

OF_NO_USE = {"by_admin"}
"""Columns that no program reads any more, and that a later schema drops."""


@pytest.mark.parametrize(("table", "kind"), [(tables.endpoint, Endpoint), (tables.delivery, Delivery)])
def test_columns_are_the_attributes_in_order(table: Table, kind: type[Endpoint] | type[Delivery]) -> None:
    columns = [column.name for column in table.c if column.name not in OF_NO_USE]
    assert columns == [field.name for field in fields(kind)]
