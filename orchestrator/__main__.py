"""The command line. `ringledger COMMAND --help` says more about each.

Engine and web run under gevent, whose patch must come before every other import; all other commands run without it.
"""

import sys

if sys.argv[1:2] in (["engine"], ["web"]):
    from gevent import monkey

    monkey.patch_all()

from orchestrator.commandline import main

if __name__ == "__main__":
    main()
