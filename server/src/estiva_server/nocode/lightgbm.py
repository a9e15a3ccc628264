"""Serves a model of LightGBM: one that save_model() wrote, or a pickle.

{"data": [[5.1, 3.5]]} -> {"predict": [0.93]}; null is a missing value. A pickled
LGBMClassifier has predict_proba, too.
"""

from __future__ import annotations

from typing import Any

from estiva_server.nocode import model
from estiva_server.nocode.estimators import Estimator, columns_of
from estiva_server.nocode.tables import Columns
from estiva_server.schema import describe

_OWN = (".txt", ".model", ".lgb")

estimator: Estimator


def init() -> None:
    global estimator
    library = model.require("lightgbm", "lightgbm")
    path = model.find_file((*_OWN, *model.PICKLES))
    loaded = model.unpickle(path) if path.suffix in model.PICKLES else library.Booster(model_file=str(path))
    if isinstance(loaded, library.Booster):
        columns = Columns(names=tuple(loaded.feature_name()), count=loaded.num_feature())
        estimator = Estimator(loaded, columns)
    else:
        estimator = Estimator(loaded, columns_of(loaded), takes_frames=True)
    describe(run, estimator.schema())


def run(data: str) -> dict[str, Any]:
    return estimator.answer(data)
