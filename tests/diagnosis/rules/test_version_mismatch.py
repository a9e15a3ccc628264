from __future__ import annotations

from estiva.diagnosis import diagnose
from estiva.diagnosis.rules.version_mismatch import check
from estiva.findings import render
from estiva.records import Evidence, StepName

WARNING = (
    "/env/lib/python3.11/site-packages/sklearn/base.py:376: InconsistentVersionWarning: "
    "Trying to unpickle estimator Ridge from version 1.2.2 when using version 1.5.0. "
    "This might lead to breaking code or invalid results. Use at your own risk."
)
TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/r/app/score.py", line 6, in init',
    "    model = joblib.load(path)",
    '  File "/env/lib/python3.11/site-packages/joblib/numpy_pickle.py", line 658, in load',
    "    obj = _unpickle(fobj, filename, mmap_mode)",
)


def evidence(*log: str, packages: tuple[str, ...] = ()) -> Evidence:
    return Evidence(step=StepName.INIT, exit_code=3, log_tail=log, entry_script="score.py", packages=packages)


def test_scikit_learn_warned_of_the_version_before_the_model_could_not_be_loaded() -> None:
    seen = evidence(WARNING, *TRACEBACK, "ValueError: node array from the pickle has an incompatible dtype:")
    assert (
        render(diagnose(seen))
        == """\
The model was saved with scikit-learn 1.2.2, and the environment has 1.5.0
  what      Loading the model failed: score.py, line 6, in init(): ValueError: node array from the
            pickle has an incompatible dtype:
  why       scikit-learn does not promise that a saved model can be loaded by another version.
  evidence  | Trying to unpickle estimator Ridge from version 1.2.2 when using version 1.5.0.
            | score.py:6: model = joblib.load(path)
            | ValueError: node array from the pickle has an incompatible dtype:
  to do     Put "scikit-learn==1.2.2" into the environment, then deploy again.
            Or train and register the model again with scikit-learn 1.5.0."""
    )


def test_a_warning_alone_explains_no_other_exception() -> None:
    assert check(evidence(WARNING, *TRACEBACK, "ZeroDivisionError: division by zero")) is None


def test_a_class_that_the_installed_version_does_not_have() -> None:
    seen = evidence(
        *TRACEBACK,
        "AttributeError: Can't get attribute '_RemainderColsList' on <module "
        "'sklearn.compose._column_transformer' from '/env/x.py'>",
        packages=("scikit-learn==1.3.0",),
    )
    found = check(seen)
    assert found is not None
    assert found.title == "score.py, line 6, in init(): scikit-learn 1.3.0 lacks what is expected of it"


def test_a_module_of_a_package_that_is_not_installed_is_not_a_matter_of_versions() -> None:
    assert check(evidence(*TRACEBACK, "ModuleNotFoundError: No module named 'sklearn.tree'")) is None
