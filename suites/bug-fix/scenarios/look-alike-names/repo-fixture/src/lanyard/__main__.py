from lanyard.cli import main

raise SystemExit(main())
