"""Mail to customers."""


def send_receipt(address: str, text: str) -> bool:
    return bool(address and text)
