"""The engine needs a server: every test here has its rows on one."""

import pytest


@pytest.fixture
def dialect() -> str:
    return "postgres"
