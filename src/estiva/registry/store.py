"""The registry's database as the control server uses it."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from estiva.records import DeploymentSpec, EnvironmentSpecification, Tree
from estiva.registry import tables
from estiva.registry.credentials import CredentialStore
from estiva.registry.endpoints import EndpointStore
from estiva.registry.environments import EnvironmentStore
from estiva.registry.models import ModelStore
from estiva.registry.services import ServiceStore
from estiva.registry.workspaces import WorkspaceStore


class Store(WorkspaceStore, ModelStore, EnvironmentStore, ServiceStore, EndpointStore, CredentialStore):
    """Workspaces, models, environments, services, endpoints and keys; for many threads and processes.

    Every change is one transaction: it happens whole or not at all. Names are taken as they are: `names`
    checks them. What concerns a workspace that is not there raises WorkspaceException with code
    "WorkspaceNotFound".
    """

    def referenced_blobs(self) -> set[str]:
        """SHA-256 of every file in any model, environment or generation."""
        return {file.sha256 for tree in self._trees() for file in tree.files}

    def referenced_trees(self) -> set[str]:
        """Digests of the trees in any model, environment or generation."""
        return {tree.digest for tree in self._trees()}

    def _trees(self) -> Iterator[Tree]:
        with self.reading() as connection:
            for tree in connection.scalars(sa.select(tables.models.c.tree)):
                yield Tree.model_validate(tree)
            for stored in connection.scalars(sa.select(tables.generations.c.spec)):
                spec = DeploymentSpec.model_validate(stored)
                yield spec.code.tree
                yield from (mount.tree for mount in spec.models)
                yield from _context(spec.environment)
            for stored in connection.scalars(sa.select(tables.environments.c.specification)):
                yield from _context(EnvironmentSpecification.model_validate(stored))


def _context(specification: EnvironmentSpecification) -> Iterator[Tree]:
    if specification.build_context is not None:
        yield specification.build_context.tree
