// A figure as a file of its own: SVG without references, or PNG at twice its size.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const SVG = "http://www.w3.org/2000/svg";
  const PAD = 16;
  const HEAD = 52;
  const LINE = 20;
  const SCALE = 2;

  /** Replace what only the page knows, its variables and its colour of text, by colours. */
  const resolver = (box) => {
    const style = getComputedStyle(box);
    return (value) =>
      value
        .replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim() || "none")
        .replace(/currentColor/gi, style.color);
  };

  const settle = (root, resolve) => {
    for (const own of root.querySelectorAll("style, .tip")) own.remove();
    for (const own of [root, ...root.querySelectorAll("*")]) {
      own.removeAttribute("class");
      // Setting an attribute that is there already leaves the list that is gone through as it is.
      for (const { name, value } of own.attributes) {
        if (/var\(|currentcolor/i.test(value)) own.setAttribute(name, resolve(value));
      }
    }
    return root;
  };

  /** Lay out legend entries in lines: [x, line, entry] each, and the number of lines. */
  const flow = (entries, width, swatch) => {
    let [x, line] = [PAD, 0];
    const placed = entries.map((entry) => {
      const icon = swatch === "line" || entry.neutral ? 32 : 20;
      const text = bakeoff.look.clip([entry.label, entry.note].filter(Boolean).join("  "), width - 2 * PAD - icon);
      const wide = icon + bakeoff.look.width(text) + 18;
      if (x > PAD && x + wide > width - PAD) [x, line] = [PAD, line + 1];
      const own = { ...entry, x, line, text, icon };
      x += wide;
      return own;
    });
    return [placed, entries.length ? line + 1 : 0];
  };

  const swatchOf = (own, kind, y) => {
    const made = (own.neutral ? bakeoff.look.neutral() : bakeoff.look.swatch(own.strategy, kind)).firstChild;
    made.setAttribute("transform", `translate(${own.x + own.icon / 2 - 3},${y})`);
    return made;
  };

  const legendOf = (figure, width, top) => {
    const { legend } = figure.view;
    const { svg } = bakeoff.look;
    const shown = legend && !legend.folded ? legend.entries.filter((own) => legend.shown.has(own.strategy)) : [];
    const neutral = (figure.drawing.neutral ?? []).map((label) => ({ label, neutral: true }));
    const [placed, lines] = flow([...shown, ...(figure.drawing.keys ?? []), ...neutral], width, legend?.swatch);
    const parts = placed.flatMap((own) => {
      const y = top + own.line * LINE + LINE / 2;
      return [swatchOf(own, legend?.swatch ?? "marker", y), svg("text", { x: own.x + own.icon, y, "dominant-baseline": "central", fill: "currentColor" }, own.text)];
    });
    return [parts, lines * LINE];
  };

  /** A figure as a standing alone SVG element. */
  const standalone = (figure) => {
    const { svg, clip } = bakeoff.look;
    const source = figure.node;
    const [wide, high] = ["width", "height"].map((name) => Number(source.getAttribute(name)));
    const width = wide + 2 * PAD;
    const [legend, below] = legendOf(figure, width, HEAD + high + 8);
    const height = HEAD + high + (below ? below + 8 : 0) + PAD;
    const chart = source.cloneNode(true);
    chart.removeAttribute("style");
    chart.setAttribute("x", PAD);
    chart.setAttribute("y", HEAD);
    chart.setAttribute("overflow", "visible");
    const { family, size } = fontOf(source);
    chart.setAttribute("font-family", family);
    chart.setAttribute("font-size", size);
    const root = svg(
      "svg",
      { width, height, viewBox: `0 0 ${width} ${height}`, "font-family": family, "font-size": size, fill: "currentColor", role: "img" },
      svg("title", {}, `${figure.title}. ${figure.drawing.summary}`),
      svg("rect", { width, height, fill: "var(--page)" }),
      svg("text", { x: PAD, y: 24, "font-size": 16, "font-weight": 600 }, figure.title),
      svg("text", { x: PAD, y: 42, fill: "var(--muted)" }, clip(figure.place, width - 2 * PAD)),
      chart,
      ...legend,
    );
    return settle(root, resolver(figure.box));
  };

  const fontOf = (element) => {
    const style = getComputedStyle(element);
    return { family: style.fontFamily, size: style.fontSize };
  };

  const text = (figure) => {
    const root = standalone(figure);
    root.setAttribute("xmlns", SVG);
    return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(root)}`;
  };

  const toPng = async (figure) => {
    const root = standalone(figure);
    const image = new Image();
    const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(root)], { type: "image/svg+xml" }));
    try {
      image.src = address;
      await image.decode();
      const canvas = document.createElement("canvas");
      canvas.width = Number(root.getAttribute("width")) * SCALE;
      canvas.height = Number(root.getAttribute("height")) * SCALE;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      return await new Promise((done) => canvas.toBlob(done, "image/png"));
    } finally {
      URL.revokeObjectURL(address);
    }
  };

  const nameOf = (figure, ending) => `${bakeoff.fileName(bakeoff.payload.tasks[figure.index].id, figure.chart)}.${ending}`;

  const save = {
    SVG: (figure) => bakeoff.download(nameOf(figure, "svg"), text(figure), "image/svg+xml"),
    PNG: async (figure) => bakeoff.download(nameOf(figure, "png"), await toPng(figure), "image/png"),
    CSV: (figure) => bakeoff.download(nameOf(figure, "csv"), bakeoff.datatable.file(figure.drawing.tables), "text/csv"),
  };

  bakeoff.save = save;
})();
