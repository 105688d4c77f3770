"""The log of facts: what happened, once and for good. It knows neither the slices that tell nor what they tell of."""
