"""Where the shop keeps things."""
