"""Endpoints: several versions behind one address, and how requests are divided among them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from estiva.records.base import Record, now
from estiva.records.publications import Publication


class EndpointVersion(Record):
    """A version as its endpoint knows it; what runs is a service whose key has the version's name."""

    name: str
    traffic_percentile: int = Field(default=0, ge=0, le=100)
    """Percent of the requests. What no version claims goes to the default one."""
    mirror_percentile: int = Field(default=0, ge=0, le=100)
    """Percent of the other versions' requests of which it gets a copy, whose answers nobody sees."""
    is_control: bool = False
    """What the others are compared with: "Control" among "Treatment"s. One version has it."""


class Endpoint(Record):
    workspace: str
    name: str
    publication: Publication
    versions: tuple[EndpointVersion, ...] = Field(min_length=1)
    """In the order in which they were created; their percentages are 100 in sum, or less."""
    defaults: tuple[str, ...] = Field(min_length=1)
    """Versions that were made the default one, the newest first. The first of them that serves is it.

    So a version that is to be the default takes over when it is healthy, and the one before it until then.
    """
    sticky_header: str | None = None
    """Requests with the same value of this header go to the same version."""
    deleting: bool = False
    description: str | None = None
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    created_time: datetime = Field(default_factory=now)
    updated_time: datetime = Field(default_factory=now)

    def version(self, name: str) -> EndpointVersion | None:
        """The version of that name; None if there is none."""
        return next((version for version in self.versions if version.name == name), None)
