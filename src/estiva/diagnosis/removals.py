"""Names that widely used packages have dropped, when, and what took their place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Removal:
    package: str
    version: str
    """The first without it."""
    instead: str


_SKLEARN = "scikit-learn"
_REMOVED = {
    "sklearn.externals.joblib": Removal(
        _SKLEARN, "0.23", "`import joblib` (and add joblib to the environment)"
    ),
    "sklearn.externals.six": Removal(_SKLEARN, "0.23", "`import six` (and add six to the environment)"),
    "sklearn.cross_validation": Removal(_SKLEARN, "0.20", "`sklearn.model_selection`"),
    "sklearn.grid_search": Removal(_SKLEARN, "0.20", "`sklearn.model_selection`"),
    "sklearn.preprocessing.Imputer": Removal(_SKLEARN, "0.22", "`sklearn.impute.SimpleImputer`"),
    "pandas.util.testing": Removal("pandas", "2.0", "`pandas.testing`"),
    "DataFrame.append": Removal("pandas", "2.0", "`pandas.concat([frame, other])`"),
    "DataFrame.ix": Removal("pandas", "1.0", "`.loc` or `.iloc`"),
    "DataFrame.as_matrix": Removal("pandas", "1.0", "`.to_numpy()`"),
    "scipy.misc.imread": Removal("scipy", "1.2", "`imageio.imread`"),
    "scipy.interp": Removal("scipy", "1.4", "`numpy.interp`"),
    "tensorflow.contrib": Removal("tensorflow", "2.0", "what the contrib module became in TensorFlow 2"),
    "tensorflow.Session": Removal("tensorflow", "2.0", "`tensorflow.compat.v1.Session`"),
    "tensorflow.placeholder": Removal("tensorflow", "2.0", "`tensorflow.compat.v1.placeholder`"),
    "flask.escape": Removal("flask", "3.0", "`markupsafe.escape`"),
    "jinja2.escape": Removal("jinja2", "3.1", "`markupsafe.escape`"),
    "markupsafe.soft_unicode": Removal("markupsafe", "2.1", "`markupsafe.soft_str`"),
    **{
        f"numpy.{name}": Removal("numpy", "1.24", f"`{instead}`")
        for name, instead in {
            "bool": "bool",
            "int": "int",
            "float": "float",
            "complex": "complex",
            "object": "object",
            "str": "str",
        }.items()
    },
    **{
        f"numpy.{name}": Removal("numpy", "2.0", f"`{instead}`")
        for name, instead in {
            "float_": "numpy.float64",
            "NaN": "numpy.nan",
            "Inf": "numpy.inf",
            "unicode_": "numpy.str_",
            "product": "numpy.prod",
        }.items()
    },
    **{
        f"collections.{name}": Removal("python", "3.10", f"`collections.abc.{name}`")
        for name in ("Mapping", "MutableMapping", "Sequence", "Iterable", "Callable", "Hashable")
    },
}


def find(name: str) -> Removal | None:
    """Of the name, or of the module that it is in."""
    parts = name.split(".")
    names = (".".join(parts[:count]) for count in range(len(parts), 1, -1))
    return next((_REMOVED[known] for known in names if known in _REMOVED), None)
