"""``python -m archbuild`` is ``archbuild``."""

from archbuild.cli.main import main

main()
