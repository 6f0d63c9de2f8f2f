"""python -m proveout.theory.certificates FOLDER [NAME ...]: make the shipped certificates anew."""

import sys

from proveout.theory.certificates import write

__all__: list[str] = []

if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2:])
