import { duration, levelOf } from "@quayside/util";
import { renderToStaticMarkup } from "react-dom/server";

import { Panel } from "./panel";

export interface Job {
  name: string;
  elapsedMs: number;
  lines: string[];
}

/** The page of a job, whose script makes the console come alive; it asks for terminal.js early. */
export function renderPage(job: Job): string {
  const failed = job.lines.some((line) => levelOf(line) === "error");
  return `<!doctype html>${renderToStaticMarkup(
    <html lang="en">
      <head>
        <title>{job.name}</title>
        <link rel="stylesheet" href="/assets/xterm.css" />
        <link rel="preload" as="script" href="/assets/terminal.js" />
      </head>
      <body>
        <Panel title={job.name} tone={failed ? "alarm" : "calm"}>
          <p>{duration(job.elapsedMs)}</p>
          <div id="console">{job.lines.join("\n")}</div>
        </Panel>
        <script src="/assets/main.js" />
      </body>
    </html>,
  )}`;
}
