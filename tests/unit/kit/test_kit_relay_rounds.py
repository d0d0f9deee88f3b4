"""How the relay splits a batch, and which shard a key has."""

from hypothesis import given
from hypothesis import strategies as st

from lianhu_kit.outbox import SHARDS, shard_of
from lianhu_kit.relay import rounds

KEYS = st.lists(st.tuples(st.sampled_from("tu"), st.sampled_from("abc")), max_size=40)


@given(KEYS)
def test_each_round_holds_a_key_once_and_all_rounds_together_keep_its_order(keys: list[tuple[str, str]]) -> None:
    rows = [{"aggregatetype": t, "aggregateid": k, "position": place} for place, (t, k) in enumerate(keys)]
    parts = rounds(rows)
    for part in parts:
        held = [(row["aggregatetype"], row["aggregateid"]) for row in part]
        assert len(held) == len(set(held))
        assert held
    sent = [row["position"] for part in parts for row in part]
    assert sorted(sent) == list(range(len(keys)))
    for key in set(keys):
        own = [place for place in sent if keys[place] == key]
        assert own == sorted(own)
    assert len(parts) == max((keys.count(key) for key in keys), default=0)


def test_shards_are_stable_over_versions_and_spread() -> None:
    assert [shard_of(key) for key in ("a", "lianhu", "对岸村", "01a20545-5936-7769-88d9-5fbbbfc0e769")] == [
        3,
        14,
        14,
        8,
    ]
    assert {shard_of(str(number)) for number in range(500)} == set(range(SHARDS))
