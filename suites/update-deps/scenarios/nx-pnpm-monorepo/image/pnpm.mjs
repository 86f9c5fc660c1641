#!/usr/bin/env node
// pnpm, beside a mirror of the packages that this machine has; there is no network.
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { startMirror, URL_BASE } from "./mirror.mjs";

const close = await startMirror(dirname(fileURLToPath(import.meta.url)));
const env = {
  ...process.env,
  npm_config_registry: URL_BASE,
  npm_config_ignore_scripts: "true",
  npm_config_update_notifier: "false",
  npm_config_store_dir: "node_modules/.pnpm-store",
};
const child = spawn(process.execPath, ["/opt/pnpm/bin/pnpm.cjs", ...process.argv.slice(2)], {
  env,
  stdio: "inherit",
});
child.on("exit", (code, signal) => {
  close();
  process.exit(signal ? 1 : (code ?? 1));
});
