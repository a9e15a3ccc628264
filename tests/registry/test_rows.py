from __future__ import annotations

import pytest

from estiva.errors import RegistryException
from estiva.records import Generation
from estiva.registry import rows
from tests.registry.samples import KEY, generation


def test_a_stored_record_that_cannot_be_read_is_reported_without_its_values() -> None:
    columns = rows.generation_row(KEY, generation())
    columns["spec"]["secrets"] = {"TOKEN": ["hunter2"]}
    with pytest.raises(RegistryException, match="stored generation cannot be read") as caught:
        rows.record(Generation, columns)
    assert caught.value.code == "RegistryDamaged"
    assert "secrets" in caught.value.detail
    assert "hunter2" not in caught.value.detail
    assert caught.value.__cause__ is None


def test_a_changed_record_is_checked() -> None:
    assert rows.changed(generation(), {"number": 2}).number == 2
    with pytest.raises(ValueError, match="number"):
        rows.changed(generation(), {"number": "two"})
