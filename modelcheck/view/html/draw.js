// The drawing: rows near the window exist as nodes, the others only as the lists of `shapes.py`.
const SVG = "http://www.w3.org/2000/svg";
const LAYERS = { b: 0, p: 1, r: 2, m: 3, t: 4 }; // back to front

function make(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const classes = (fill, stroke, kind) => `${fill ? "f-" + fill : "f-none"}${stroke ? " s-" + stroke : ""}${kind ? " k-" + kind : ""}`;

function rectangle([, x, y, width, height, fill, stroke, wide, rx, kind]) {
  return make("rect", { x, y, width, height, rx, "stroke-width": wide, class: classes(fill, stroke, kind) });
}

function line([, d, stroke, wide, dash, head, kind, source]) {
  const made = make("path", { d, "stroke-width": wide, class: classes("", stroke, kind) });
  if (head) made.dataset.source = source;
  if (dash) made.setAttribute("stroke-dasharray", dash);
  if (head) made.setAttribute("marker-end", `url(#${head})`);
  return made;
}

function label([, x, y, text, size, colour, bold, up, halo, length, kind]) {
  const made = make("text", { x, y, "font-size": size, class: classes(colour, halo ? "paper" : "", kind) }, text);
  if (bold) made.setAttribute("font-weight", "bold");
  if (halo) made.classList.add("halo");
  if (up) made.setAttribute("transform", `rotate(-90 ${x} ${y})`);
  if (text.length > 3) {
    made.setAttribute("textLength", length); // a font with wider letters than reckoned is squeezed into its box
    made.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }
  return made;
}

const SHAPES = { b: rectangle, r: rectangle, p: line, m: line, t: label };

class Picture {
  constructor(view, place) {
    this.view = view;
    this.place = place;
    this.drawn = new Map(); // row -> its nodes
    this.arrows = new Map(); // row -> those of them that are arrows
    this.current = 0;
    const heading = this.heading = this.svg(0, view.head, "heading");
    this.body = this.svg(view.head, view.h - view.head, "rows");
    const defs = make("defs", {});
    for (const [stroke, name] of Object.entries(view.heads)) {
      const box = { id: name, viewBox: "0 0 10 10", refX: 10, refY: 5, markerWidth: 9, markerHeight: 9 };
      const head = make("marker", { ...box, markerUnits: "userSpaceOnUse", orient: "auto" });
      head.append(make("path", { d: "M0 1L10 5L0 9z", class: "f-" + stroke }));
      defs.append(head);
    }
    this.layers = [0, 1, 2, 3, 4].map(() => make("g", {}));
    this.mark = make("rect", { x: 0, width: view.w, class: "f-now" });
    this.pointer = make("path", { class: "f-current" });
    this.outline = make("rect", { rx: 4, "stroke-width": 3.5, class: "f-none s-current" });
    this.body.append(defs, this.mark, ...this.layers, this.outline, this.pointer);
    for (const shape of view.fixed) {
      if (LAYERS[shape[0]] !== 1) heading.append(SHAPES[shape[0]](shape));
      if (LAYERS[shape[0]] % 2) this.layers[LAYERS[shape[0]]].append(SHAPES[shape[0]](shape)); // lines run all the way
    }
    place.replaceChildren(heading, this.body);
    this.draw();
  }

  svg(top, height, name) {
    const made = make("svg", { viewBox: `0 ${top} ${this.view.w} ${height}`, class: name, "aria-hidden": "true" });
    made.style.maxWidth = `${this.view.w}px`;
    return made;
  }

  // From drawing to window: the upper edge of the rows, and how many pixels one unit is.
  scale() {
    const box = this.body.getBoundingClientRect();
    return [box.top, box.width / this.view.w || 1];
  }

  draw() {
    const [top, scale] = this.scale();
    const upper = this.view.head + (-top - innerHeight) / scale;
    const lower = this.view.head + (-top + 2 * innerHeight) / scale;
    this.view.rows.forEach((row, index) => {
      const wanted = row.y + row.h > upper && row.top < lower;
      if (wanted && !this.drawn.has(index)) {
        const nodes = row.e.map((shape) => {
          const node = SHAPES[shape[0]](shape);
          const turn = node.getAttribute("transform");
          node.setAttribute("transform", `translate(0 ${row.y})${turn ? " " + turn : ""}`);
          this.layers[LAYERS[shape[0]]].append(node);
          return node;
        });
        this.drawn.set(index, nodes);
        this.arrows.set(index, nodes.filter((node) => node.dataset.source));
      } else if (!wanted && this.drawn.has(index)) {
        for (const node of this.drawn.get(index)) node.remove();
        this.drawn.delete(index);
        this.arrows.delete(index);
      }
    });
    this.heat();
  }

  // Arrows that end or begin at the current row are drawn stronger.
  heat() {
    for (const [index, nodes] of this.arrows) {
      for (const node of nodes) {
        node.classList.toggle("hot", index === this.current || Number(node.dataset.source) === this.current);
      }
    }
  }

  select(index) {
    this.current = index;
    const row = this.view.rows[index];
    const [x, y, width, height] = row.box;
    for (const [name, value] of Object.entries({ y: row.y - 4, height: row.h + 8 })) this.mark.setAttribute(name, value);
    for (const [name, value] of Object.entries({ x: x - 2, y: y - 2, width: width + 4, height: height + 4 })) {
      this.outline.setAttribute(name, value);
    }
    const middle = row.y + row.h / 2;
    this.pointer.setAttribute("d", `M2 ${middle - 8}L15 ${middle}L2 ${middle + 8}z`);
    this.heat();
  }

  // Scrolls the window, and the drawing sideways, only when the row is not in sight.
  reveal(upper, lower) {
    const row = this.view.rows[this.current];
    const [top, scale] = this.scale();
    const y = top + (row.y - this.view.head) * scale;
    const below = Math.min(90, (this.view.h - row.y - row.h) * scale); // a little of what comes next
    if (y + row.h * scale + below > lower) scrollBy(0, y + row.h * scale + below - lower);
    else if (y < upper) scrollBy(0, y - upper - 60);
    const left = row.box[0] * scale;
    const right = (row.box[0] + row.box[2]) * scale;
    const { scrollLeft, clientWidth } = this.place;
    if (left < scrollLeft || right > scrollLeft + clientWidth) this.place.scrollLeft = left - 40;
    this.draw();
  }

  // The lower edge of what stays on top while the page scrolls.
  covered() {
    const stays = getComputedStyle(this.heading).position === "sticky";
    return document.querySelector(".bar").offsetHeight + (stays ? this.heading.getBoundingClientRect().height : 0);
  }

  rowAt(clientY) {
    const [top, scale] = this.scale();
    const y = this.view.head + (clientY - top) / scale;
    const found = this.view.rows.findIndex((row) => y < row.y + row.h + 4);
    return found < 0 ? this.view.rows.length - 1 : found;
  }
}

