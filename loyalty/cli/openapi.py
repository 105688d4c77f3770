"""`loyalty openapi`."""

import click

from loyalty.app import create_app
from loyalty.config import Settings
from loyalty.db.migrate import ROOT
from loyalty.web import openapi as contract


@click.command()
@click.option("--write", is_flag=True, help="Write openapi.yaml at the root of the checkout instead of printing.")
def openapi(write: bool) -> None:
    """Print the API contract, exported from the code."""
    app = create_app(Settings(database_url="postgresql+psycopg://"))
    text = contract.document(app.extensions["loyalty-api"])
    if write:
        (ROOT / "openapi.yaml").write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)
