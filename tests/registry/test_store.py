from __future__ import annotations

from pathlib import Path

from estiva.registry.store import Store
from tests.registry.samples import KEY, generation, model, service, sha256, spec, tree


def test_what_models_and_generations_hold_is_referenced(store: Store) -> None:
    store.add_model("lab", model(content="registered"))
    store.create_service(service(), generation(1, spec(model(content="mounted"), script="code")))
    assert store.referenced_blobs() == {sha256(text) for text in ("registered", "mounted", "code")}
    trees = [tree(pkl="registered"), tree(pkl="mounted"), tree(score="code")]
    assert store.referenced_trees() == {held.digest for held in trees}
    store.remove_service(KEY)
    store.delete_model("lab", "ridge", 1)
    assert store.referenced_blobs() == store.referenced_trees() == set()


def test_everything_is_there_after_a_restart(store: Store, url: str) -> None:
    added = store.add_model("lab", model())
    store.create_service(service(), generation())
    store.close()
    again = Store(url)
    assert again.model("lab", "ridge") == added
    assert again.service(KEY) == service().model_copy(
        update={field: getattr(again.service(KEY), field) for field in ("created_time", "updated_time")}
    )
    again.close()


def test_only_the_owner_may_read_the_database(store: Store, tmp_path: Path) -> None:
    store.add_model("lab", model())
    modes = {
        path.name: path.stat().st_mode & 0o077
        for path in tmp_path.glob("estiva.db*")
        if "lock" not in path.name
    }
    assert modes == {"estiva.db": 0, "estiva.db-wal": 0, "estiva.db-shm": 0}
