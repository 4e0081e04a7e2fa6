"""Run the command line: `python -m tinystride`."""

from tinystride.cli import main

main()
