"""Our FreeSWITCH: its configuration and a simulated switch for where there is none."""
