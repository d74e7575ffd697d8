"""What tests of the API share beside what every test may ask for."""

import httpx2
import pytest

from tests.support.actors import Actors
from tests.support.offices import Offices


@pytest.fixture
async def kpk(http: httpx2.AsyncClient, actors: Actors) -> Offices:
    """Officers of KPK, of Immigration and a counter."""
    return await Offices.opened(http, actors)
