"""A process of the harness that becomes a service: CHAOS_SERVICE names it, CHAOS_ROLE its part."""

import os
import runpy
import sys


def become() -> None:
    """Runs the service in this process, with whatever was put in its way before."""
    module = f"{os.environ['CHAOS_SERVICE']}_service"
    sys.argv = [module, os.environ["CHAOS_ROLE"]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
