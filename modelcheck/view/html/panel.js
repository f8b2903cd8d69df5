// What stands after a step: bytes, slots, locks; worked out by replaying the steps, and shown with what changed marked.
const MOST_BYTES = 64; // of one field
const hex = (value) => (value < 0 ? "??" : value.toString(16).padStart(2, "0"));

// Where a run of bytes is: (offset, version, form, step, value) for each of its bytes.
function* bytesOf(step) {
  for (const [first, count, version, form, origin, digits] of step.b || []) {
    for (let i = 0; i < count; i++) {
      const value = digits ? parseInt(digits.slice(2 * i, 2 * i + 2), 16) : -1;
      yield [first + i, version, form, origin, value];
    }
  }
}

class State {
  constructor(data) {
    this.data = data;
    this.reset();
  }

  reset() {
    this.memory = this.data.memory.slice();
    this.slots = this.data.slots.map(([, value]) => value);
    this.done = -1;
  }

  // Replays up to step `last`; gives back which bytes and slots the steps after `before` wrote, and which they read.
  go(before, last) {
    if (this.done > before) this.reset();
    const wrote = new Set();
    const read = new Map();
    const changed = new Map();
    for (let index = this.done + 1; index <= last; index++) {
      const step = this.data.steps[index];
      const fresh = index > before;
      for (const [offset, version, form, origin, value] of bytesOf(step)) {
        if (step.op === "store") {
          this.memory[offset] = [version, form, value];
          if (fresh) wrote.add(offset);
        } else if (fresh) {
          read.set(offset, [origin, version, form, value]);
        }
      }
      for (const [slot, value] of step.ch) {
        if (fresh && !changed.has(slot)) changed.set(slot, this.slots[slot]);
        this.slots[slot] = value;
      }
    }
    this.done = last;
    return { wrote, read, changed };
  }
}

function ranges(offsets) {
  const runs = [];
  for (const offset of [...offsets].sort((a, b) => a - b)) {
    const last = runs[runs.length - 1];
    if (last && last[1] === offset - 1) last[1] = offset;
    else runs.push([offset, offset]);
  }
  return `byte${offsets.length === 1 ? "" : "s"} ${runs.map(([a, b]) => (a === b ? a : `${a}-${b}`)).join(", ")}`;
}

const list = (texts) => element("ul", "", ...texts.map((text) => element("li", "", text)));

function fill(name, content, shown) {
  byId(name).replaceChildren(...(shown ? [content] : []));
  byId(`${name}-of`).hidden = !shown;
}

// Each field on a line of its own, each byte as its value over the number of the update that wrote it.
function byteTable(data, state, { wrote, read }) {
  const { size, base, line, page, fields } = data.area;
  const table = element("table", "fields");
  const notes = ["Value over update; solid frame: written by this step, dashed: read by it."];
  const named = [...fields];
  let after = 0;
  for (const [, lo, hi] of fields) {
    if (lo > after) named.push(["", after, lo]);
    after = Math.max(after, hi);
  }
  if (after < size) named.push(["", after, size]);
  named.sort((a, b) => a[1] - b[1]);
  for (const [name, lo, hi] of named) {
    const cell = element("td", "");
    let touched = size <= 256; // of a large area, the fields that matter now
    for (let offset = lo; offset < Math.min(hi, lo + MOST_BYTES); offset++) {
      if (offset && (base + offset) % Math.min(line, page) === 0) {
        const what = (base + offset) % page === 0 ? "page" : "cache line";
        cell.append(element("span", what === "page" ? "cut page" : "cut"));
        notes.push(`A ${what} begins at byte ${offset}.`);
      }
      const [version, form, value] = state.memory[offset];
      const byte = element("span", `byte u${version % 8}`, hex(value), element("sub", "", String(version)));
      const how = wrote.has(offset) ? "written now" : read.has(offset) ? "read now" : "";
      if (form) byte.classList.add("form");
      if (how) byte.classList.add(wrote.has(offset) ? "wrote" : "read");
      byte.title = [`byte ${offset} from update ${version}`, form && `with ${form}`, how].filter(Boolean).join(", ");
      cell.append(byte);
    }
    if (hi - lo > MOST_BYTES) cell.append(` and ${hi - lo - MOST_BYTES} more`);
    touched = touched || [...wrote, ...read.keys()].some((offset) => lo <= offset && offset < hi);
    const head = element("th", "", name);
    head.scope = "row";
    if (touched) table.append(element("tr", "", head, element("td", "offset", String(lo)), cell));
  }
  return element("div", "", table, element("p", "offset", notes.join(" ")));
}

function readsFrom(data, read) {
  const origins = new Map();
  for (const [offset, [origin, version]] of read) {
    const key = `${origin} ${version}`;
    origins.set(key, [...(origins.get(key) || []), offset]);
  }
  return [...origins].map(([key, offsets]) => {
    const [origin, version] = key.split(" ").map(Number);
    const where = origin < 0 ? "the content at the start" : `step ${origin + 1}, ${data.names[data.steps[origin].p]}: ${data.steps[origin].l}`;
    return `${ranges(offsets)}: update ${version}, from ${where}`;
  });
}

function showPanel(data, state, row, before) {
  const [first, last] = row.s;
  const step = data.steps[last];
  const effect = state.go(before, last);
  const number = first === last ? `Step ${first + 1}` : `Steps ${first + 1} to ${last + 1}`;
  byId("now").replaceChildren(element("b", "", `${number} of ${data.steps.length}. `), row.text);
  byId("where").textContent = [step.fn && `${step.fn}()`, step.at, step.file].filter(Boolean).join(" \u00b7 ");
  byId("source").textContent = step.src || "no source line";
  if (data.memory.length) fill("bytes", byteTable(data, state, effect), true);
  const changes = [...effect.changed].map(([slot, old]) => `${data.slots[slot][0]}: ${old} \u2192 ${state.slots[slot]}`);
  if (effect.wrote.size) changes.unshift(`${ranges([...effect.wrote])} written`);
  fill("changed", changes.length ? list(changes) : "nothing", true);
  fill("reads", list(readsFrom(data, effect.read)), effect.read.size > 0);
  fill("held", list(step.held.map((text) => data.strings[text])), step.held.length > 0);
  fill("waits", list(step.waits.map((text) => data.strings[text])), step.waits.length > 0);
  const slots = data.slots.map(([name], slot) => {
    const marked = effect.changed.has(slot);
    return element("li", marked ? "marked" : "", `${name} = ${state.slots[slot]}${marked ? " (changed now)" : ""}`);
  });
  fill("slots", element("ul", "", ...slots), slots.length > 0);
  const enabled = data.steps[first].en.map((text) => data.strings[text]);
  byId("enabled-title").textContent = `What else could have been taken instead: ${enabled.length}`;
  fill("enabled", list(enabled), enabled.length > 0);
}

