"""The command line: one file per verb, no logic.

The other files hold what verbs share: options (``options``, ``run_choice``, ``numbers``), columns
of text (``columns``), progress on stderr (``progress``, ``screen``, ``sweep_screen``, ``events``),
the log (``log``), Ctrl-C (``interrupt``), and errors (``ending``).
"""
