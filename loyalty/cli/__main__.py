"""`python -m loyalty.cli`: the command line without an installed script."""

from loyalty.cli import main

if __name__ == "__main__":
    main(prog_name="loyalty")
