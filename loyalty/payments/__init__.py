"""Paying with points at a checkout: quoted, held, captured with the order, refunded to where they came from."""
