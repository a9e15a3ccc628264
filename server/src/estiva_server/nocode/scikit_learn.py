"""Serves an estimator of scikit-learn that pickle or joblib wrote.

{"data": [[5.1, 3.5]], "method": "predict"} -> {"predict": [0]}; the method may be any that the estimator has
of predict (the default), predict_proba, predict_log_proba, decision_function and transform.
"""

from __future__ import annotations

from typing import Any

from estiva_server.nocode import model
from estiva_server.nocode.estimators import Estimator, columns_of
from estiva_server.schema import describe

estimator: Estimator


def init() -> None:
    global estimator
    model.require("sklearn", "scikit-learn")
    loaded = model.unpickle(model.find_file(model.PICKLES))
    estimator = Estimator(loaded, columns_of(loaded), takes_frames=True)
    describe(run, estimator.schema())


def run(data: str) -> dict[str, Any]:
    return estimator.answer(data)
