export { openConsole, zoom } from "./console";
export { renderPage, type Job } from "./page";
