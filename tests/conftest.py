"""Hypothesis profiles, nothing clever."""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile("pr", max_examples=100, derandomize=True, deadline=None)
settings.register_profile("main", max_examples=1_000, deadline=None)
settings.register_profile(
    "night", max_examples=100_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "mutants",
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPERROUTE_PROFILE", "pr"))

POSTGRES = "HYPERROUTE_TEST_POSTGRES"
"""Where the tests find a Postgres; else the one on this host that lets us in, if there is one."""
REDIS = "HYPERROUTE_TEST_REDIS"
"""Where the tests find a Valkey or Redis; else the one on this host, if there is one."""
REQUIRED = "HYPERROUTE_REQUIRE_STORES"
"""Set: a database that does not answer fails its tests instead of skipping them."""


@pytest.fixture
def postgres() -> Iterator[tuple[str, str]]:
    """The URL of a database, and the name of a schema of it that nobody else has."""
    import psycopg

    url = os.environ.get(POSTGRES) or "postgresql://127.0.0.1:5432/test"
    try:
        connection = psycopg.connect(url, connect_timeout=2, autocommit=True)
    except psycopg.Error as error:
        why = f"no Postgres at {url}: {error}; name one in {POSTGRES}"
        if os.environ.get(REQUIRED):
            pytest.fail(why)
        pytest.skip(why)
    schema = f"hyperroute_test_{uuid4().hex[:12]}"
    with connection:
        yield url, schema
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    connection.close()


@pytest.fixture
def postgres_state(postgres: tuple[str, str]) -> str:
    """A ``--state`` URL of a database whose schema nobody else has."""
    url, schema = postgres
    return f"{url}{'&' if '?' in url else '?'}schema={schema}"


@pytest.fixture
def valkey() -> Iterator[str]:
    """The URL of a Valkey or Redis, with a prefix that nobody else has."""
    import redis

    url = os.environ.get(REDIS) or "redis://127.0.0.1:6379/0"
    client = redis.Redis.from_url(url, socket_connect_timeout=2)
    try:
        client.ping()
    except redis.RedisError as error:
        why = f"no Valkey or Redis at {url}: {error}; name one in {REDIS}"
        if os.environ.get(REQUIRED):
            pytest.fail(why)
        pytest.skip(why)
    prefix = f"hyperroute_test_{uuid4().hex[:12]}"
    with client:
        yield f"{url}?prefix={prefix}"
        if left := list(client.scan_iter(match=f"{{{prefix}}}*", count=1_000)):
            client.delete(*left)
