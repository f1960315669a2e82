"""A world of one trail, served, and clients that talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config

from integrity.lab.server import LabServer, serve
from integrity.lab.world import Chain, World

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    """Eight hours of one chain, and a backfill of the fourth."""
    world = World(seed=3)
    chain = world.run_chain(world.add_trail(), start=START, hours=8)
    world.backfill(chain, end=START + timedelta(hours=4), generated_at=START + timedelta(days=3))
    return world


@pytest.fixture
def chain(world: World) -> Chain:
    return world.chains[0]


@pytest.fixture
def server(world: World) -> Iterator[LabServer]:
    with serve(world) as server:
        yield server


Client = Callable[..., object]


@pytest.fixture
def client(server: LabServer) -> Iterator[Client]:
    """`client("s3")` is boto3's, without retries, in us-east-1 unless `region` says otherwise."""
    made = []

    def make(
        service: str,
        *,
        region: str = "us-east-1",
        account_id: str | None = None,
        attempts: int = 1,
        read_timeout: float = 60,
    ) -> object:
        environment = server.environment_for(account_id or server.world.caller_account_id)
        one = boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name=region,
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            config=Config(
                retries={"total_max_attempts": attempts, "mode": "standard"},
                read_timeout=read_timeout,
            ),
        )
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


def signed_for(region: str) -> dict[str, str]:
    """The headers of a request that was signed for a region."""
    scope = f"AKIALABX111122223333/20260301/{region}/s3/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host"}
