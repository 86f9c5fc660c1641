// Syntax check of every module, as far as Node alone can do it.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import process from 'node:process';

let failed = false;
for (const folder of ['bin', 'src', 'tests']) {
  for (const name of readdirSync(folder)) {
    if (!/\.m?js$/.test(name)) continue;
    const done = spawnSync(process.execPath, ['--check', `${folder}/${name}`], {
      encoding: 'utf8',
    });
    if (done.status !== 0) {
      failed = true;
      process.stderr.write(done.stderr);
    }
  }
}
process.exitCode = failed ? 1 : 0;
