"""A plan's Dockerfiles: one for each layer, which is what the builder builds, or one for the whole. Pure."""

from __future__ import annotations

import re

from estiva.images.planning import BUILD_LABEL
from estiva.images.records import Layer, Plan

_PREPARATION = "preparation"
_FROM = re.compile(r"^[ \t]*FROM[ \t]+(?P<rest>.+?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_ALIAS = re.compile(r"\sAS\s+(?P<name>\S+)$", re.IGNORECASE)

_HEADER = """\
# Builds with `docker build .` in this folder. What is in estiva-build is used for that and does not stay.
# With a package index of your own: --build-arg UV_DEFAULT_INDEX=URL; behind a proxy: your CA certificates
# as estiva-build/ca-certificates.crt."""


def of_layer(layer: Layer, parent: str) -> str:
    """The Dockerfile of one layer upon the image `parent`."""
    if layer.name == "base":
        return layer.instructions.rstrip("\n") + "\n"
    return _stages(layer, parent, "").rstrip("\n") + "\n"


def of_plan(plan: Plan) -> str:
    """One Dockerfile with a stage for each layer."""
    parent = plan.base.reference or ""
    parts = [_HEADER]
    for layer in plan.layers:
        platform = f"--platform={plan.platform} " if plan.platform and not parts[1:] else ""
        if layer.name == "base":
            text, parent = _named(layer.instructions.rstrip("\n"))
            parts.append(text)
        else:
            last = layer is plan.layers[-1]
            parts.append(_stages(layer, parent, platform, name="" if last else layer.name))
            parent = layer.name
    return "\n\n".join(parts) + "\n"


def _stages(layer: Layer, parent: str, platform: str, name: str = "") -> str:
    said = f" AS {name}" if name else ""
    stage = f"FROM {platform}{parent}{said}\n{layer.instructions}"
    if not layer.preparation:
        return stage
    mark = f"LABEL {BUILD_LABEL}={layer.digest}"
    return f"FROM {platform}{parent} AS {_PREPARATION}\n{mark}\n{layer.preparation}\n\n{stage}"


def _named(dockerfile: str) -> tuple[str, str]:
    """The user's Dockerfile with a name for its last stage, and that name."""
    stages = list(_FROM.finditer(dockerfile))
    if not stages:
        return dockerfile, "base"
    last = stages[-1]
    alias = _ALIAS.search(last["rest"])
    if alias:
        return dockerfile, alias["name"]
    return f"{dockerfile[: last.end('rest')]} AS base{dockerfile[last.end('rest') :]}", "base"
