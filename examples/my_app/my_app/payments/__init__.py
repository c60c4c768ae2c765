"""Money."""


def capture_payment(
    invoice: str, amount: float, invoice_id: int, trace_id: str, card_number: str, customer: str
) -> str:
    """Takes the money for an invoice from a card."""
    if len(card_number) != 16:
        raise ValueError("this is no card")
    return f"{customer} paid {amount} for {invoice} ({invoice_id}, {trace_id})"


def refund(invoice_id: int, amount: float) -> None:
    """Gives it back."""
