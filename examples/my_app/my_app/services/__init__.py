"""What the shop needs from others."""
