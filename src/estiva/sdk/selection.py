"""Criteria by which services are listed."""

from __future__ import annotations

from collections.abc import Sequence

from estiva.messages import ServiceView


def mounts(view: ServiceView, name: str | None, model_id: str | None) -> bool:
    mounted = view.desired.spec.models
    return (name is None or any(model.name == name for model in mounted)) and (
        model_id is None or any(f"{model.name}:{model.version}" == model_id for model in mounted)
    )


def labelled(present: dict[str, str], wanted: Sequence[str | Sequence[str]]) -> bool:
    return all(
        item in present if isinstance(item, str) else present.get(item[0]) == str(item[1]) for item in wanted
    )
