import { openConsole, zoom } from "./console";

const element = document.getElementById("console");
if (element) {
  void openConsole(element).then((terminal) => {
    document.addEventListener("keydown", ({ altKey, key }) => {
      if (altKey && (key === "+" || key === "-")) zoom(terminal, key === "+" ? 1 : -1);
    });
  });
}
