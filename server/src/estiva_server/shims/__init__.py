"""Stand-ins for modules that score scripts import: azureml.*, ptvsd. A real package, if installed, wins.

`install()` runs at the start of every Python in an environment of ours, so this module imports nothing that
Python has not imported by then, and the stand-ins are read only when they are asked for.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing itself would be an import
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

_PACKAGES = ("azureml", "azureml_inference_server_http", "ptvsd")


class StandIns:
    """A finder for sys.meta_path. It stands last, so that it is asked only for what nobody else has."""

    @staticmethod
    def find_spec(fullname: str, *_: object) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in _PACKAGES:
            return None
        from importlib.util import spec_from_file_location
        from pathlib import Path

        place = Path(__file__).parent.joinpath(*fullname.split("."))
        if (place / "__init__.py").is_file():
            return spec_from_file_location(
                fullname, place / "__init__.py", submodule_search_locations=[str(place)]
            )
        module = place.with_suffix(".py")
        return spec_from_file_location(fullname, module) if module.is_file() else None


def install() -> None:
    """Idempotent."""
    if StandIns not in sys.meta_path:
        sys.meta_path.append(StandIns)
