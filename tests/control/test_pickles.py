from __future__ import annotations

import gzip
import io
import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from estiva.control.pickles import Pickled, read_pickle


def fitted(rows: int = 20) -> object:
    numbers = np.arange(rows * 3, dtype=float).reshape(rows, 3)
    return make_pipeline(StandardScaler(), Ridge()).fit(numbers, numbers[:, 0])


def read(content: bytes) -> Pickled:
    return read_pickle(io.BufferedReader(io.BytesIO(content)))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_the_version_that_wrote_a_pickle(protocol: int) -> None:
    assert read(pickle.dumps(fitted(), protocol)) == Pickled(sklearn.__version__, names_columns=False)


@pytest.mark.parametrize("compress", [0, 1, 3, ("gzip", 3)])
def test_the_version_that_wrote_a_file_of_joblib(tmp_path: Path, compress: int | tuple[str, int]) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump([np.random.default_rng(1).random(400_000), fitted()], path, compress=compress)
    with path.open("rb") as file:
        assert read_pickle(file).sklearn_version == sklearn.__version__


def test_the_names_of_columns() -> None:
    estimator = Ridge()
    estimator.feature_names_in_ = np.array(["age"], dtype=object)
    assert read(pickle.dumps(estimator)).names_columns


def test_two_chunks_meet_in_the_version() -> None:
    content = pickle.dumps(fitted())
    place = content.index(b"_sklearn_version") + 10
    padded = b"\0" * (1024 * 1024 - place) + content
    assert read(padded).sklearn_version == sklearn.__version__


def test_nothing_is_unpickled() -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("raise SystemExit('unpickled')",)

    assert read(pickle.dumps([Trap(), fitted()])).sklearn_version == sklearn.__version__


@pytest.mark.parametrize(
    "content", [b"", b"x\x9cno", gzip.compress(b"a" * 100, mtime=0)[:20], b"_sklearn_version\x8c\xff1"]
)
def test_what_says_nothing(content: bytes) -> None:
    assert read(content) == Pickled()


@given(st.binary())
def test_any_bytes_can_be_read(content: bytes) -> None:
    read(b"_sklearn_version" + content)
    read(b"x\x9c" + content)
