"""With what AWS is asked: credentials, roles, and whose keys stand in for a silent region's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

Place = tuple[str, str]
"""A bucket, and the folder in it below which everything lies: "" or `…/`."""

if TYPE_CHECKING:
    from integrity.aws.roles import Role
    from integrity.aws.session import AwsRecipe


class Offline(Struct, frozen=True, kw_only=True):
    """A folder that is verified without AWS: the copy of `original`, or without one a bundle.

    `keys_file` are the public keys of a copy; a bundle has its own.
    """

    folder: Path
    original: Place | None = None
    keys_file: Path | None = None


class Access(Struct, frozen=True, kw_only=True):
    """With what AWS is asked: credentials, and whose public keys stand in for a silent region's.

    `profile` and `region` mean what they mean to the AWS CLI. They assume the roles, where there
    are any: `role` for the trail's account, `bucket_role` for the bucket's (None: the same).
    `keys_file`, `keys_profile` and `keys_role` supply the public keys of regions that the caller
    has not enabled; one of them at most is given. `replica` is where the objects of `original` are
    read, both or none.
    """

    profile: str | None = None
    region: str | None = None
    role: Role | None = None
    bucket_role: Role | None = None
    expected_bucket_owner: str | None = None
    keys_file: Path | None = None
    keys_profile: str | None = None
    keys_role: Role | None = None
    concurrency: int = 128
    original: Place | None = None
    replica: Place | None = None

    def recipe(self, role: Role | None, profile: str | None = None) -> AwsRecipe:
        """How to open AWS as a role, or as whoever the profile says."""
        from integrity.aws.session import AwsRecipe

        return AwsRecipe(
            profile=profile or self.profile,
            region=self.region,
            role=role,
            max_connections=self.concurrency,
        )
