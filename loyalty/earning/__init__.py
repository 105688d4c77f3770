"""What an order is worth: rules that marketers write and publish, and the pure function that applies them."""
