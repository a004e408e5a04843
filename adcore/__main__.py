"""`python -m adcore`: the command line."""

from .cli import main

raise SystemExit(main())
