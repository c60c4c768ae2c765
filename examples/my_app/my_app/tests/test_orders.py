"""Tests of orders."""

from my_app.core.orders import Order, price


def test_price():
    assert price(Order(1, ["tea"], "")) == 4 * 0.9
