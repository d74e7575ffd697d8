"""Rows of webhooks are read by position: the columns of a table are the attributes of its dataclass, in order."""

from dataclasses import fields

import pytest
from sqlalchemy import Table

from app.sync.webhooks import tables
from app.sync.webhooks.domain import Delivery, Endpoint


@pytest.mark.parametrize(("table", "kind"), [(tables.endpoint, Endpoint), (tables.delivery, Delivery)])
def test_columns_are_the_attributes_in_order(table: Table, kind: type[Endpoint] | type[Delivery]) -> None:
    assert [column.name for column in table.c] == [field.name for field in fields(kind)]
