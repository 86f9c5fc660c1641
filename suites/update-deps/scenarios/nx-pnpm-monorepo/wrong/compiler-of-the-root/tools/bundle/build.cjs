// Bundles the script of the package in the current folder into dist/public, styles beside it.
const { copyFileSync } = require("node:fs");
const { join } = require("node:path");

const preset = require("./preset.cjs");

const app = process.cwd();
const webpack = require(require.resolve("webpack", { paths: [app] }));

webpack(preset(webpack, app)).run((error, stats) => {
  if (error || stats.hasErrors()) {
    console.error(error ?? stats.toString("errors-only"));
    process.exit(1);
  }
  const styles = require.resolve("@xterm/xterm/css/xterm.css", { paths: [app] });
  copyFileSync(styles, join(app, "dist/public/xterm.css"));
});
