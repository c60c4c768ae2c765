"""Orders and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

FEATURE_FLAGS = {"discounts": True}
PRICES = {"tea": 4, "cup": 9}


@dataclass
class Order:
    """What somebody wants to have."""

    number: int
    items: list[str]
    session_token: str


def place_order(user: str, order: Order, password: str, note: str) -> str:
    """Takes an order. `password`: asked again, because money is about to be spent."""
    if not password:
        raise PermissionError("the password is missing")
    return f"order {order.number} of {user} costs {price(order)} ({note})"


def price(order: Order) -> float:
    total = sum(PRICES[item] for item in order.items)
    return total * 0.9 if FEATURE_FLAGS["discounts"] else total
