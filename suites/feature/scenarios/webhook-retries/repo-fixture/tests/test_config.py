from pathlib import Path

import pytest
from hookline import ConfigError, load_endpoints, parse_endpoints

EXAMPLE = Path(__file__).parent.parent / "examples" / "endpoints.json"
GOOD = {"name": "a", "url": "https://a.example", "secret": "s", "events": ["x"]}


def test_the_example_loads():
    endpoints = load_endpoints(EXAMPLE)
    assert list(endpoints) == ["billing", "crm"]
    assert endpoints["billing"].ordered is True
    assert endpoints["crm"].wants("anything")
    assert not endpoints["billing"].wants("user.joined")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "endpoint 'a': unknown key 'colour'"),
        ({"secret": ""}, "endpoint 1: 'secret' must be"),
        ({"events": "x"}, "endpoint 'a': 'events' must be"),
        ({"ordered": 1}, "endpoint 'a': 'ordered' must be"),
    ],
)
def test_a_mistake_is_named(change, message):
    with pytest.raises(ConfigError, match=message):
        parse_endpoints({"endpoints": [{**GOOD, **change}]})


def test_a_name_is_used_once():
    with pytest.raises(ConfigError, match="'a' is there twice"):
        parse_endpoints({"endpoints": [GOOD, GOOD]})
