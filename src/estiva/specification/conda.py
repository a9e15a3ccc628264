"""Conda environment specifications: YAML text <-> `EnvironmentSpecification`.

The YAML is only composed, never constructed: no tag can run anything, every value keeps the text that the
user wrote ("1.10" stays "1.10"), and every node knows its line and column.
"""

from __future__ import annotations

import io

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from estiva.errors import UserErrorException
from estiva.records import EnvironmentSpecification
from estiva.specification.notation import CondaRequirement, parse_notation, python_version
from estiva.specification.pip import read_lines
from estiva.specification.refusals import refusal, suggestion

KEYS = ("name", "channels", "dependencies", "prefix", "variables")

_SIZE_LIMIT = 1_000_000
_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_STANDARD = "tag:yaml.org,2002:"


def parse_conda(text: str, *, name: str, source: str = "conda specification") -> EnvironmentSpecification:
    """A conda environment file -> specification; `source` is what messages call the file."""
    reader = _Reader(source)
    root = reader.entries(reader.compose(text), "A conda specification")
    for key, (node, _) in root.items():
        if key not in KEYS:
            near = suggestion(key, KEYS)
            raise reader.refuse(node, f'unknown key "{key}"{near} Known are: {", ".join(KEYS)}.')
    values = {key: value for key, (_, value) in root.items()}
    python, conda, pip = reader.dependencies(values.get("dependencies"))
    options, packages = read_lines(pip)
    return EnvironmentSpecification(
        name=name,
        python_version=python,
        conda_packages=tuple(conda),
        pip_packages=packages,
        pip_options=options,
        channels=tuple(
            reader.text(node, "a channel") for node in reader.items(values.get("channels"), "channels")
        ),
        variables=reader.variables(values.get("variables")),
    )


def dump_conda(spec: EnvironmentSpecification) -> str:
    """The specification as a conda environment file; `parse_conda` reads the same back.

    What a conda file has no words for (base image, Dockerfile, a borrowed interpreter) is left out.
    """
    dependencies: list[object] = []
    if spec.python_version:
        equals = "=" if spec.python_version[0].isdigit() else ""
        dependencies.append(f"python{equals}{spec.python_version}")
    dependencies += spec.conda_packages
    pip = [*spec.pip_options, *spec.pip_packages]
    if pip:
        dependencies += ["pip", {"pip": pip}]
    content: dict[str, object] = {"name": spec.name}
    if spec.channels:
        content["channels"] = list(spec.channels)
    content["dependencies"] = dependencies
    if spec.variables:
        content["variables"] = dict(spec.variables)
    return _dump(content)


def _dump(content: dict[str, object]) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # annotated as None
    yaml.width = _SIZE_LIMIT  # one value, one line
    stream = io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()


class _Reader:
    """Takes the composed document apart; every refusal names the place."""

    def __init__(self, source: str) -> None:
        self.source = source

    def refuse(self, node: Node, what: str) -> UserErrorException:
        return refusal(what, place=self.place(node.start_mark))

    def place(self, mark: object) -> str:
        line, column = getattr(mark, "line", None), getattr(mark, "column", None)
        return self.source if line is None else f"{self.source}, line {line + 1}, column {(column or 0) + 1}"

    def compose(self, text: str) -> Node:
        if len(text) > _SIZE_LIMIT:
            raise refusal("more than a million characters; is this the right file?", place=self.source)
        try:
            root = YAML(typ="safe", pure=True).compose(text)
        except MarkedYAMLError as error:
            raise self._refuse_yaml(error) from None
        except YAMLError as error:  # a character that YAML does not allow
            raise refusal(f"not YAML: {str(error).splitlines()[0]}.", place=self.source) from None
        except RecursionError:
            raise refusal("nested too deeply for a conda specification.", place=self.source) from None
        if not isinstance(root, Node):
            raise refusal("the file is empty; it needs at least `dependencies:`.", place=self.source)
        return root

    def _refuse_yaml(self, error: MarkedYAMLError) -> UserErrorException:
        what = error.problem or error.context or "it cannot be read"
        if "'\\t'" in what:
            what = "there is a tab; indent with spaces"
        return refusal(f"not YAML: {what}.", place=self.place(error.problem_mark or error.context_mark))

    def entries(self, node: Node, what: str) -> dict[str, tuple[Node, Node]]:
        """A mapping's keys, each with the nodes of key and value."""
        if not isinstance(node, MappingNode):
            raise self.refuse(node, f"{what} is a mapping (`key: value`), not {_kind(node)}.")
        found: dict[str, tuple[Node, Node]] = {}
        for key, value in node.value:
            name = self.text(key, "a key")
            if name in found:
                first = found[name][0].start_mark.line + 1
                raise self.refuse(key, f'"{name}" is given twice; it already stands in line {first}.')
            found[name] = (key, value)
        return found

    def items(self, node: Node | None, what: str) -> list[Node]:
        """A list's nodes; a key without a value counts as an empty list."""
        if node is None or str(node.tag) == _NULL:
            return []
        if not isinstance(node, SequenceNode):
            raise self.refuse(node, f"{what} is a list (lines that begin with `- `), not {_kind(node)}.")
        return list(node.value)

    def text(self, node: Node, what: str) -> str:
        if not isinstance(node, ScalarNode) or str(node.tag) != _TEXT:
            raise self.refuse(node, f"{what} is a text, not {_kind(node)}.")
        return str(node.value)

    def dependencies(self, node: Node | None) -> tuple[str | None, list[str], list[tuple[str, str]]]:
        """Python's version, the conda packages, and the pip lines with their places."""
        python: list[str | None] = []
        conda: list[str] = []
        pip: list[tuple[str, str]] = []
        for item in self.items(node, "dependencies"):
            if isinstance(item, MappingNode):
                pip += self._pip_lines(item)
                continue
            text, requirement = self._package(item)
            if requirement.name == "python":
                python.append(self._python(item, requirement))
            elif requirement.name != "pip":
                conda.append(text)
            if len(python) > 1:
                raise self.refuse(item, "Python is given twice; keep one line.")
        return (python[0] if python else None), conda, pip

    def _package(self, node: Node) -> tuple[str, CondaRequirement]:
        text = self.text(node, "a dependency").strip()
        try:
            return text, parse_notation(text)
        except UserErrorException as error:
            raise self.refuse(node, error.message) from None

    def _python(self, node: Node, requirement: CondaRequirement) -> str | None:
        try:
            return python_version(requirement)
        except UserErrorException as error:
            raise self.refuse(node, error.message) from None

    def _pip_lines(self, node: MappingNode) -> list[tuple[str, str]]:
        found = self.entries(node, "A dependency")
        for key, (place, value) in found.items():
            if key != "pip":
                written = f"{key}={value.value}" if isinstance(value, ScalarNode) else f"{key}=VERSION"
                raise self.refuse(place, f'"{key}:" is not a dependency; write `- {written}`.')
        nodes = [node for _, value in found.values() for node in self.items(value, "pip")]
        return [(self.place(node.start_mark), self.text(node, "a pip package")) for node in nodes]

    def variables(self, node: Node | None) -> dict[str, str]:
        if node is None or str(node.tag) == _NULL:
            return {}
        return {
            key: self._variable(key, place, value)
            for key, (place, value) in self.entries(node, "variables").items()
        }

    def _variable(self, key: str, place: Node, value: Node) -> str:
        if not key or "=" in key or "\0" in key:
            raise self.refuse(place, f'"{key}" cannot be the name of an environment variable.')
        if str(value.tag) == _NULL:
            raise self.refuse(place, f'the variable {key} has no value; write {key}: "" for an empty one.')
        # numbers and booleans are taken as they are written: every variable is a text
        if not isinstance(value, ScalarNode) or not str(value.tag).startswith(_STANDARD):
            raise self.refuse(value, f"the variable {key} is a text, not {_kind(value)}.")
        return str(value.value)


def _kind(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    if str(node.tag) == _NULL:
        return "nothing"
    kind = str(node.tag).rsplit(":", 1)[-1]
    value = str(node.value) if len(str(node.value)) < 40 else f"{str(node.value)[:37]}..."
    return f"{value} ({kind}; put it in quotation marks if it is meant as text)"
