"""The command line: one file per verb, no logic.

Beside the verbs stand what they share: how a page is laid out (``columns``), what is shown while a
job runs (``progress``) and kept of it (``log``), how Ctrl-C is heard (``interrupt``), how a failure
is told (``ending``), and how Keras is started (``environment``).
"""
