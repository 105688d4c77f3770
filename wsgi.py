"""For any WSGI server: `gunicorn wsgi:app`. Needs DATABASE_URL; `loyalty serve` does the rest by itself."""

from loyalty.app import create_app

app = create_app()
