// The page of one trace: what is current, and what keys, buttons and clicks do to it.
async function scriptData() {
  const node = byId("data");
  if (node.type === "application/json") return JSON.parse(node.textContent);
  const bytes = Uint8Array.from(atob(node.textContent), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

function start(data) {
  const state = new State(data);
  const every = byId("every");
  const drawing = byId("drawing");
  let picture;
  let current = 0;

  const rows = () => picture.view.rows;
  const deciding = () => rows().findIndex((row) => row.d);

  // What sticks below the bar needs to know how high it is.
  const measure = () => document.documentElement.style.setProperty("--bar", `${document.querySelector(".bar").offsetHeight}px`);

  function rowOf(step) {
    const found = rows().findIndex((row) => step <= row.s[1]);
    return found < 0 ? rows().length - 1 : found;
  }

  function show(index, reveal) {
    if (!rows().length) return;
    current = Math.max(0, Math.min(index, rows().length - 1));
    picture.select(current);
    showPanel(data, state, rows()[current], current ? rows()[current - 1].s[1] : -1);
    byId("count").textContent = `${every.checked ? "step" : "row"} ${current + 1} of ${rows().length}`;
    byId("first").disabled = byId("back").disabled = current === 0;
    byId("next").disabled = byId("last").disabled = current === rows().length - 1;
    if (reveal) {
      const panel = document.querySelector(".panel");
      const docked = getComputedStyle(panel).bottom === "0px" ? panel.offsetHeight : 0;
      picture.reveal(picture.covered() + 8, innerHeight - docked - 16);
    }
  }

  function redraw() {
    const step = picture ? rows()[current]?.s[0] ?? 0 : 0;
    measure();
    picture = new Picture(data.views[every.checked ? 1 : 0], drawing);
    show(rowOf(step), false);
    picture.draw();
  }

  function act(key) {
    const moves = { j: current + 1, k: current - 1, Home: 0, End: rows().length - 1, d: deciding() };
    const names = { ArrowDown: "j", ArrowRight: "j", ArrowUp: "k", ArrowLeft: "k", n: "j", p: "k" };
    const move = moves[names[key] || key];
    if (move === undefined) return false;
    if (move >= 0 || key !== "d") show(move, true);
    return true;
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(".wide, pre, .panel")) return;
    // Up, down, Home and End scroll the page unless one is at the drawing.
    const here = event.target === document.body || event.target.closest(".explorer");
    if (!here && /^(Arrow|Home|End)/.test(event.key)) return;
    if (event.target === document.body && /^(ArrowUp|ArrowDown|Home|End)$/.test(event.key)) return;
    if (event.key === "t") toggleTheme();
    else if (event.key === "e") every.click();
    else if (!act(event.key)) return;
    event.preventDefault();
    if (document.activeElement === document.body && event.key !== "t") drawing.focus({ preventScroll: true });
  }

  const pressed = { first: "Home", back: "k", next: "j", last: "End", decides: "d" };
  for (const [id, key] of Object.entries(pressed)) byId(id)?.addEventListener("click", () => act(key));
  for (const box of document.querySelectorAll("[data-kind]")) {
    const switched = () => drawing.classList.toggle(`no-${box.dataset.kind}`, !box.checked);
    box.addEventListener("change", switched);
    switched();
  }
  every.addEventListener("change", redraw);
  drawing.addEventListener("click", (event) => show(picture.rowAt(event.clientY), false));
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#s']");
    const step = link ? Number(link.hash.slice(2)) : NaN;
    if (!(step >= 1)) return;
    event.preventDefault();
    show(rowOf(step - 1), true);
    drawing.focus({ preventScroll: true });
  });
  let waiting = false;
  const later = () => { // once a frame
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      measure();
      picture.draw();
    });
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later);

  byId("explorer").hidden = false;
  document.documentElement.classList.add("live"); // the still drawing is for paper from now on
  redraw();
  const asked = Number((location.hash.match(/^#s(\d+)$/) || [])[1]);
  if (asked >= 1) show(rowOf(asked - 1), true);
}

scriptData().then(start, () => {
  const told = "This browser is too old to draw a trace of this length; the list of steps is all it can show.";
  document.querySelector(".still").replaceChildren(told);
});
