"""A loyalty scheme: its currency, its zone and the rules of its points. It knows no member and no order."""
