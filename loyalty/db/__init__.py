"""The database kit: the base of all tables, one unit of work, the writer, paging, the embedded server."""
