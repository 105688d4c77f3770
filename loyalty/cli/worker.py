"""`loyalty worker`."""

import sys
from dataclasses import replace

import click

from loyalty import worker as jobs
from loyalty.cli.runtime import application
from loyalty.config import from_environment
from loyalty.web import logs


@click.command()
@click.option("--while-stdin-open", "tied", is_flag=True, hidden=True, help="Stop when standard input ends.")
def worker(tied: bool) -> None:
    """Do the background jobs until Ctrl-C. Any number of workers may run, on any machine.

    'loyalty serve' starts one itself, unless it is told --no-worker.
    """
    settings = from_environment()
    # One connection for each job.
    settings = replace(settings, threads=settings.worker_concurrency)
    logs.configure(settings.log_level)
    with logs.adopting_libraries(), application(settings, application_name=jobs.APPLICATION_NAME) as reachable:
        if tied:
            jobs.run(reachable, while_open=sys.stdin.fileno())
        else:
            jobs.run(reachable, ready=lambda: click.echo("Doing the jobs. Ctrl-C stops."))
