"""`python -m bench`, with `memory` or `rules`: see `bench.beside`, `.memory`, `.rules`."""

import sys

from bench import beside, memory, rules

# The processes that serve worlds import this module again, under another name.
if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        memory.main(sys.argv[2:])
    elif sys.argv[1:2] == ["rules"]:
        rules.main(sys.argv[2:])
    else:
        beside.main()
