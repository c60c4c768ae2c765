"""One customer buys something: every part of my_app is called once."""

from __future__ import annotations

import os
import secrets

from my_app import auth, payments
from my_app.core.orders import Order, place_order
from my_app.services import mail
from my_app.services.storage import files


def main() -> None:
    # Made anew for each run, unless somebody wants to look for them in the trace.
    password = os.environ.get("MY_APP_PASSWORD") or secrets.token_hex(8)
    card_number = os.environ.get("MY_APP_CARD") or str(secrets.randbelow(10**16)).zfill(16)
    session = auth.login("ada", password)
    order = Order(7, ["tea", "cup"], session)
    print(place_order("ada", order, password, "ring twice"))
    payments.capture_payment(f"invoice of {order.number}", 12.5, 1007, "trace-1", card_number, "Ada")
    payments.refund(1007, 12.5)
    mail.send_receipt("ada at home", "thank you")
    files.save("order-7", order)
    auth.logout(session)


main()
