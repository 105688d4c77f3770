"""What members buy: recorded once, judged by the rules in force when it was placed."""
