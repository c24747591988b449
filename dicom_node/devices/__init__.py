"""How each make of device writes its scans, and what the node reads from them."""
