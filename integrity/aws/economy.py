"""Where botocore takes pains that are not needed here, and a session is told to take less.

It reads a service's whole description for its first call. EC2's takes longer to read than all else
that a small verification does before its first answer, and stays in memory: here it is the one
operation that is asked. It reads times in any form that there is, one for each object that is
listed; S3's form is read directly. Nothing is decided here. (AWS: EC2 API_DescribeRegions.)
"""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from botocore.loaders import JSONFileLoader, Loader, create_loader, instance_cache
from botocore.session import Session
from botocore.utils import parse_timestamp

_MODEL: dict[str, Any] = {
    "version": "2.0",
    "metadata": {
        "apiVersion": "2016-11-15",
        "endpointPrefix": "ec2",
        "protocol": "ec2",
        "protocols": ["ec2"],
        "serviceAbbreviation": "Amazon EC2",
        "serviceFullName": "Amazon Elastic Compute Cloud",
        "serviceId": "EC2",
        "signatureVersion": "v4",
        "uid": "ec2-2016-11-15",
        "auth": ["aws.auth#sigv4"],
        "xmlNamespace": "http://ec2.amazonaws.com/doc/2016-11-15",
    },
    "operations": {
        "DescribeRegions": {
            "name": "DescribeRegions",
            "http": {"method": "POST", "requestUri": "/"},
            "input": {"shape": "Asked"},
            "output": {"shape": "Answer"},
        }
    },
    "shapes": {
        "Asked": {"type": "structure", "members": {"AllRegions": {"shape": "Boolean"}}},
        "Answer": {
            "type": "structure",
            "members": {"Regions": {"shape": "Regions", "locationName": "regionInfo"}},
        },
        "Regions": {"type": "list", "member": {"shape": "Region", "locationName": "item"}},
        "Region": {
            "type": "structure",
            "members": {
                "RegionName": {"shape": "String", "locationName": "regionName"},
                "OptInStatus": {"shape": "String", "locationName": "optInStatus"},
            },
        },
        "Boolean": {"type": "boolean"},
        "String": {"type": "string"},
    },
}


class _Files(JSONFileLoader):
    """Descriptions as they lie on the disk, decoded in a fraction of the time."""

    def load_file(self, file_path: str) -> Any:
        """The document of a path without its ending, or None where there is none."""
        plain, packed = Path(f"{file_path}.json"), Path(f"{file_path}.json.gz")
        if plain.is_file():
            return msgspec.json.decode(plain.read_bytes())
        if packed.is_file():
            return msgspec.json.decode(gzip.decompress(packed.read_bytes()))
        return None


class _Loader(Loader):
    """botocore's loader of service descriptions, but for EC2's."""

    @instance_cache
    def list_available_services(self, type_name: str) -> list[str]:
        """Every service that has a folder; what is in it shows when it is loaded.

        botocore looks into all of its four hundred folders first, for each kind of description.
        """
        del type_name
        folders = [Path(path) for path in self.search_paths if Path(path).is_dir()]
        return sorted({one.name for folder in folders for one in folder.iterdir()})

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:
        if (service_name, type_name) == ("ec2", "service-2"):
            return _MODEL
        return super().load_service_model(service_name, type_name, api_version)


def economize(session: Session) -> None:
    """Let a session's clients read times quickly, and those of EC2 know DescribeRegions alone.

    Raises ProfileNotFound where the session's profile is not there.
    """
    usual = create_loader(session.get_config_variable("data_path"))
    loader = _Loader(usual.search_paths, _Files(), include_default_search_paths=False)
    session.register_component("data_loader", loader)
    parsers = session.get_component("response_parser_factory")
    parsers.set_parser_defaults(timestamp_parser=read_time)


def read_time(told: Any) -> datetime:
    """A time as S3 writes it, and any other as botocore reads it. Raises ValueError."""
    if isinstance(told, str):
        try:
            time = datetime.fromisoformat(told)
        except ValueError:
            return parse_timestamp(told)
        if time.tzinfo is not None:
            return time
    return parse_timestamp(told)
