"""Conda YAML and pip requirements <-> `records.EnvironmentSpecification`: parse, check, serialize.

Pure: text in, records out. What cannot be accepted is a `UserErrorException` of code "SpecificationInvalid"
that names the line and says what to write instead.
"""

from estiva.specification.conda import dump_conda, parse_conda
from estiva.specification.notation import CondaRequirement, parse_notation
from estiva.specification.pip import check_requirement, option_values, parse_pip, split_hashes
from estiva.specification.refusals import nearest

__all__ = [
    "CondaRequirement",
    "check_requirement",
    "dump_conda",
    "nearest",
    "option_values",
    "parse_conda",
    "parse_notation",
    "parse_pip",
    "split_hashes",
]
