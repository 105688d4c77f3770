"""Bulk in: members and orders from files and data sets, through the same code as the API."""
