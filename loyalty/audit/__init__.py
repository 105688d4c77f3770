"""Who changed what of a program's configuration. It knows neither the things that are changed nor what they mean."""
