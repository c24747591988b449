"""What we keep: the bytes as received and the rows that describe them."""
