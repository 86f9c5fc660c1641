from toolshed.cli import main

raise SystemExit(main())
