"""`python -m proveout` is `proveout`."""

from proveout.cli import main

main()
