from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.control.intake import below, borrowed, distinct
from estiva.errors import WebserviceException
from estiva.records import File, ModelMount, Tree

SHA = "a" * 64

paths = st.lists(st.sampled_from(["a", "b/c", "b/d/e.py", "..hidden", "sp ace"]), unique=True)


@given(paths, paths)
def test_a_tree_below_a_folder_is_the_same_tree_one_level_deeper(
    files: list[str], folders: list[str]
) -> None:
    tree = Tree(
        files=tuple(File(path=path, sha256=SHA, size=3, executable=path == "a") for path in files),
        directories=tuple(folders),
    )
    deeper = below("source", tree)
    assert deeper.size == tree.size
    assert [file.path for file in deeper.files] == [f"source/{path}" for path in files]
    assert deeper.directories == tuple(f"source/{path}" for path in folders)
    assert [file.model_copy(update={"path": ""}) for file in deeper.files] == [
        file.model_copy(update={"path": ""}) for file in tree.files
    ]


def test_without_an_environment_the_packages_that_the_user_runs_are_borrowed() -> None:
    specification = borrowed("/opt/python/bin/python")
    assert specification.borrowed_from == "/opt/python/bin/python"
    assert (specification.pip_packages, specification.conda_packages) == ((), ())


def mount(name: str, version: int, sha256: str = SHA) -> ModelMount:
    tree = Tree(files=(File(path="model.pkl", sha256=sha256, size=3),))
    return ModelMount(name=name, version=version, tree=tree)


def test_a_model_that_is_named_twice_is_there_once() -> None:
    assert distinct([mount("iris", 1), mount("iris", 2), mount("iris", 1)]) == (
        mount("iris", 1),
        mount("iris", 2),
    )


def test_two_models_at_one_place_are_refused() -> None:
    with pytest.raises(
        WebserviceException, match=r"named 'model\.pkl' and would both lie at azureml-models/"
    ) as caught:
        distinct([mount("model.pkl", 0), mount("model.pkl", 0, "b" * 64)])
    assert caught.value.code == "ModelTwice"
