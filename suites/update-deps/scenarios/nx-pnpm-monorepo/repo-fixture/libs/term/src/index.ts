export { consoleOptions } from "./options";
export { failures, type Failure } from "./failures";
export { Screen, type ScreenOptions } from "./screen";
