export { copyOf } from "./copy";
export { levelOf, weightOf, type Level } from "./levels";
export { duration } from "./time";
