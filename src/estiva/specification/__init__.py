"""Conda YAML and pip requirements <-> `records.EnvironmentSpecification`: parse, check, serialize; locks.

Pure: text in, records out. What cannot be accepted is a `UserErrorException` of code "SpecificationInvalid"
that names the line and says what to write instead.
"""

from estiva.specification.conda import dump_conda, parse_conda
from estiva.specification.locked import LockedPackage, differences, locked_packages
from estiva.specification.notation import CondaRequirement, parse_notation
from estiva.specification.pip import check_requirement, option_values, parse_pip, split_hashes
from estiva.specification.refusals import nearest
from estiva.specification.sbom import bill_of_materials

__all__ = [
    "CondaRequirement",
    "LockedPackage",
    "bill_of_materials",
    "check_requirement",
    "differences",
    "dump_conda",
    "locked_packages",
    "nearest",
    "option_values",
    "parse_conda",
    "parse_notation",
    "parse_pip",
    "split_hashes",
]
