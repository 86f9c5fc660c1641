// The bundler settings that all our pages share, written against one minor version of webpack.
const { join } = require("node:path");

const WRITTEN_FOR = "5.88.";

module.exports = function preset(webpack, app) {
  if (!webpack.version.startsWith(WRITTEN_FOR))
    throw new Error(`the preset is written for webpack ${WRITTEN_FOR}x, this is ${webpack.version}`);
  return {
    mode: "production",
    context: app,
    entry: { main: "./dist/main.js" },
    output: { path: join(app, "dist/public"), filename: "[name].js", publicPath: "/assets/" },
    performance: false,
    optimization: {
      minimize: false, // the CDN does it
      splitChunks: {
        cacheGroups: {
          // Large and rarely changed: a file of its own, which pages may preload.
          terminal: {
            test: /[\\/]node_modules[\\/]@xterm[\\/]xterm[\\/]/,
            name: "terminal",
            chunks: "all",
            enforce: true,
          },
        },
      },
    },
  };
};
