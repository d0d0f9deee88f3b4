"""`python -m lianhu_tools` is `lianhu`, and works where the clone's path has spaces."""

from lianhu_tools.command import main

main()
