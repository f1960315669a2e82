"""`python -m bench`: see `bench.beside`; `python -m bench memory`: see `bench.memory`."""

import sys

from bench import beside, memory

# The processes that serve worlds import this module again, under another name.
if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        memory.main(sys.argv[2:])
    else:
        beside.main()
