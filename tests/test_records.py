from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from estiva.records import (
    Code,
    DeploymentSpec,
    EnvironmentSpecification,
    File,
    Launch,
    Lock,
    Model,
    ModelMount,
    Observation,
    Record,
    Replica,
    ReplicaPhase,
    ServiceKey,
    Tree,
)

SHA = "0" * 64
SECRET = "hunter2"
KEY = ServiceKey(workspace="prod", service="mine")

paths = st.from_regex(r"[a-zü]{1,3}(/[a-z ]{1,2}){0,2}", fullmatch=True)
files = st.builds(
    File,
    path=paths,
    sha256=st.sampled_from(["0" * 64, "f" * 64]),
    size=st.integers(0, 9),
    executable=st.booleans(),
)
trees = st.builds(
    Tree,
    files=st.lists(files, unique_by=lambda file: file.path, max_size=4).map(tuple),
    directories=st.lists(paths, unique=True, max_size=2).map(tuple),
)


def content(tree: Tree) -> set[tuple[object, ...]]:
    """What a digest stands for."""
    found: set[tuple[object, ...]] = {("d", path) for path in tree.directories}
    return found | {("f", file.path, file.sha256, file.executable) for file in tree.files}


def clean(tree: Tree) -> bool:
    """No path is a file and a folder at once."""
    return not {file.path for file in tree.files} & set(tree.directories)


@given(trees, st.randoms())
def test_a_digest_does_not_depend_on_the_order(tree: Tree, chance: random.Random) -> None:
    assume(clean(tree))
    shuffled = Tree(
        files=tuple(chance.sample(tree.files, len(tree.files))),
        directories=tuple(chance.sample(tree.directories, len(tree.directories))),
    )
    assert shuffled.digest == tree.digest


@given(trees, trees)
def test_digests_are_equal_for_equal_content_and_no_other(one: Tree, other: Tree) -> None:
    assume(clean(one) and clean(other))
    assert (one.digest == other.digest) == (content(one) == content(other))


def test_a_file_is_not_an_empty_folder() -> None:
    assert (
        Tree(files=(), directories=("a",)).digest != Tree(files=(File(path="a", sha256="", size=0),)).digest
    )


@given(trees)
def test_a_tree_survives_storage(tree: Tree) -> None:
    read = Tree.model_validate_json(tree.model_dump_json())
    assert (read, read.digest, read.size) == (tree, tree.digest, sum(file.size for file in tree.files))


LOCK = Lock(python="/opt/python", python_version="3.11.7", platform="linux", requirements="numpy==1.26.4")


@pytest.mark.parametrize(
    "change",
    [
        {"python": "/usr/bin/python3"},
        {"python_version": "3.11.8"},
        {"platform": "macos"},
        {"requirements": "numpy==1.26.3"},
        {"borrowed": True},
    ],
)
def test_a_lock_s_digest_names_what_is_built(change: dict[str, Any]) -> None:
    assert LOCK.model_copy(update=change).digest != LOCK.digest


def test_notices_are_no_part_of_what_is_built() -> None:
    assert LOCK.model_copy(update={"notices": ("read this",)}).digest == LOCK.digest


def spec(source_directory: str | None = None, entry_script: str = "score.py") -> DeploymentSpec:
    return DeploymentSpec(
        models=(ModelMount(name="iris", version=3, tree=Tree(files=())),),
        code=Code(
            tree=Tree(files=()),
            entry_script=entry_script,
            entry_path="/home/ana/score.py",
            source_directory=source_directory,
        ),
        environment=EnvironmentSpecification(name="mine"),
        interpreter="/usr/bin/python3",
        variables={"LEVEL": "info"},
        secrets={"TOKEN": SecretStr(SECRET)},
    )


def launch() -> Launch:
    return Launch(
        key=KEY,
        generation=1,
        replicas=1,
        python="/opt/python",
        mounts=(),
        entry_script="score.py",
        model_dir="azureml-models",
        secrets={"TOKEN": SecretStr(SECRET)},
    )


@pytest.mark.parametrize("record", [spec(), launch()], ids=["DeploymentSpec", "Launch"])
def test_secrets_never_show(record: Record) -> None:
    shown = [repr(record), str(record), record.model_dump_json(), repr(record.model_dump(mode="json"))]
    shown.append(repr(record.model_dump()))
    assert [text for text in shown if SECRET in text] == []
    assert all("TOKEN" in text for text in shown)


def test_a_secret_that_cannot_be_read_does_not_show_either() -> None:
    with pytest.raises(ValidationError) as caught:
        Launch.model_validate({**launch().model_dump(exclude={"secrets"}), "secrets": {"TOKEN": [SECRET]}})
    assert SECRET not in str(caught.value.errors(include_input=False))


def test_records_cannot_be_changed_and_take_no_other_fields() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        KEY.service = "other"
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        ServiceKey.model_validate({"workspace": "a", "service": "b", "servce": "c"})


def test_names_and_places() -> None:
    assert str(KEY) == "prod/mine"
    assert Model(name="iris", version=3, tree=Tree(files=())).id == "iris:3"
    assert spec().models[0].path == "azureml-models/iris/3"
    assert spec().code.source_root is None
    assert spec("/home/ana/source", "source/inner/score.py").code.source_root == "source"


def test_an_observation_is_asked_for_one_generation() -> None:
    replicas = tuple(
        Replica(generation=number, index=0, phase=ReplicaPhase.READY, address="unix:/r") for number in (1, 2)
    )
    seen = Observation(key=KEY, replicas=replicas)
    assert seen.of(2) == replicas[1:]
    assert seen.of(3) == ()


def test_two_keys_of_the_same_service_are_one() -> None:
    assert {KEY: 1}[ServiceKey(workspace="prod", service="mine")] == 1
