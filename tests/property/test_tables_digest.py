"""The digest names what a table means, however it was written."""

import copy
import random
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.tables.load import load, loads
from hyperroute.testing.tables import render, tables


def shuffled(value, dice):
    """Change the order of all keys, and of nothing else."""
    if isinstance(value, dict):
        keys = list(value)
        dice.shuffle(keys)
        return {key: shuffled(value[key], dice) for key in keys}
    if isinstance(value, list):
        return [shuffled(item, dice) for item in value]
    return value


def block(value, depth=0):
    """Write data in block style: another text of the same meaning."""
    pad = "  " * depth
    if isinstance(value, dict) and value:
        return "".join(
            f"\n{pad}{key!r}:{block(item, depth + 1)}" if "'" not in key else ""
            for key, item in value.items()
        )
    if isinstance(value, list) and value:
        return "".join(f"\n{pad}-{block(item, depth + 1)}" for item in value)
    if isinstance(value, Decimal):
        return f" {value:f}00" if "." in f"{value:f}" else f" {value:f}.0"
    if isinstance(value, bool):
        return f" {str(value).upper()}  # a comment"
    if isinstance(value, str):
        return " '" + value.replace("'", "''") + "'"
    if value is None:
        return " ~"
    return f" {value}" if isinstance(value, int) else (" {}" if isinstance(value, dict) else " []")


@given(table=tables(kinds=("chat", "image", "video", "audio")), seed=st.integers(0, 2**32))
def test_invariant_51_order_of_keys_and_style_change_nothing(table, seed):
    dice = random.Random(seed)  # noqa: S311 - an order
    plain = loads(render(table)).table
    mixed = {"hyperroute": 1, **shuffled(table, dice)}
    text = "hyperroute: 1" + block({k: v for k, v in mixed.items() if k != "hyperroute"}) + "\n"

    assert loads(render(mixed)).table == plain
    other = loads(text).table
    assert other.digest == plain.digest


@given(table=tables(), seed=st.integers(0, 2**32))
def test_invariant_51_files_their_names_and_number_change_nothing(tmp_path_factory, table, seed):
    dice = random.Random(seed)  # noqa: S311 - an order
    root = tmp_path_factory.mktemp("split")
    parts: list[dict[str, dict[str, object]]] = [{} for _ in range(dice.randrange(1, 5))]
    for section, value in table.items():
        for name in value if isinstance(value, dict) else ():
            dice.choice(parts).setdefault(section, {})[name] = value[name]
    for part in parts:
        (root / f"{dice.random()}.yaml").write_text(render(part), "utf-8")

    assert load(root).table == loads(render(table)).table


@given(table=tables(), data=st.data())
def test_invariant_51_another_meaning_has_another_digest(table, data):
    changed = copy.deepcopy(table)
    name = data.draw(st.sampled_from(sorted(changed["models"])))
    model = changed["models"][name]
    change = data.draw(st.sampled_from(("context", "vendor", "tags", "clients")))
    model[change] = {"context": "77k", "vendor": "other", "tags": ["odd"], "clients": ["x"]}[change]

    assert loads(render(changed)).table.digest != loads(render(table)).table.digest
