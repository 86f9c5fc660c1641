// bake.mjs FOLDER CACHE: fetches what FOLDER/catalogue.json lists into FOLDER/tarballs, with npm.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { tarballName } from "./mirror.mjs";

const [folder, cache] = process.argv.slice(2);
const catalogue = JSON.parse(readFileSync(join(folder, "catalogue.json"), "utf8"));
const fits = (allowed, mine) => !allowed || allowed.includes(mine);

const wanted = [];
for (const [name, versions] of Object.entries(catalogue)) {
  for (const [version, { os, cpu, libc, integrity }] of Object.entries(versions)) {
    if (fits(os, process.platform) && fits(cpu, process.arch) && fits(libc, "glibc"))
      wanted.push({ name, version, integrity });
  }
}

// One npm for all of them: it fetches several at a time.
const specs = wanted.map(({ name, version }) => `${name}@${version}`);
const npm = spawnSync("npm", ["cache", "add", "--cache", cache, "--no-update-notifier", ...specs], {
  stdio: ["ignore", "inherit", "inherit"],
});
if (npm.status !== 0) process.exit(npm.status ?? 1);

mkdirSync(join(folder, "tarballs"));
for (const { name, version, integrity } of wanted) {
  const hex = Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex");
  const content = join(cache, "_cacache/content-v2/sha512", hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
  const data = readFileSync(content);
  if (createHash("sha512").update(data).digest("hex") !== hex) throw new Error(`${name}@${version} is damaged`);
  writeFileSync(join(folder, "tarballs", tarballName(name, version)), data);
}
