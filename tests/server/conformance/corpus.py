"""All cases."""

from __future__ import annotations

from tests.server.conformance import descriptions, headers, limits, origins, plain, raw, results, schemas

SUBJECTS = (plain, headers, results, schemas, raw, descriptions, origins, limits)
GROUPS = tuple(group for subject in SUBJECTS for group in subject.GROUPS)
