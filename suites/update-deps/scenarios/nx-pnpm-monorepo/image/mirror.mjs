// A read-only package registry on this machine: the packages of catalogue.json and nothing else.
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

export const PORT = 4873;
export const URL_BASE = `http://127.0.0.1:${PORT}/`;

export function tarballName(name, version) {
  return `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
}

// Resolves to a function that closes the mirror; one that runs already is used as it is.
export function startMirror(folder) {
  const catalogue = JSON.parse(readFileSync(join(folder, "catalogue.json"), "utf8"));
  const server = createServer((request, response) => answer(folder, catalogue, request, response));
  server.keepAliveTimeout = 1000;
  return new Promise((resolve, reject) => {
    server.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(() => {}) : reject(error)));
    server.listen(PORT, "127.0.0.1", () => resolve(() => server.close()));
  });
}

function answer(folder, catalogue, request, response) {
  const path = decodeURIComponent(new URL(request.url, URL_BASE).pathname).slice(1);
  const [name, file] = path.split("/-/");
  const versions = Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
  if (!versions || request.method !== "GET") return refuse(response);
  if (file === undefined) {
    response.writeHead(200, { "content-type": "application/json" });
    return response.end(JSON.stringify(packument(name, versions)));
  }
  const version = Object.keys(versions).find((v) => file === `${name.split("/").pop()}-${v}.tgz`);
  const tarball = version && join(folder, "tarballs", tarballName(name, version));
  if (!tarball || !existsSync(tarball)) return refuse(response);
  response.writeHead(200, { "content-type": "application/octet-stream" });
  return createReadStream(tarball).pipe(response);
}

function packument(name, versions) {
  const entries = Object.entries(versions).map(([version, { integrity, ...manifest }]) => {
    const tarball = `${URL_BASE}${name}/-/${name.split("/").pop()}-${version}.tgz`;
    return [version, { name, version, ...manifest, dist: { integrity, tarball } }];
  });
  return { name, "dist-tags": { latest: entries.at(-1)[0] }, versions: Object.fromEntries(entries) };
}

function refuse(response) {
  response.writeHead(404, { "content-type": "application/json" });
  response.end('{"error": "not in the mirror"}');
}
