// The page of two traces: from difference to difference.
const runs = [...document.querySelectorAll("tr[id^=d]")];
let at = -1;

function go(by) {
  if (!runs.length) return;
  at = at < 0 && by < 0 ? runs.length - 1 : (at + by + runs.length) % runs.length;
  runs[at].scrollIntoView({ block: "center" });
  runs[at].focus({ preventScroll: true });
  byId("count").textContent = `difference ${at + 1} of ${runs.length}`;
}

byId("differences").hidden = !runs.length;
byId("up").addEventListener("click", () => go(-1));
byId("down").addEventListener("click", () => go(1));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "n") go(1);
  else if (event.key === "p") go(-1);
  else if (event.key === "t") toggleTheme();
});
