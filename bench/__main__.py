"""`python -m bench`: see `bench.beside`."""

from bench.beside import main

main()
