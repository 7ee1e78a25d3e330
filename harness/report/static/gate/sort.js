// Tables that are sorted from their headers; what has no value stays last.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { element } = bakeoff;
  const TURNED = { ascending: "descending", descending: "ascending" };

  const value = (line, at, kind) => {
    const cell = line.cells[at];
    if (kind === "text") return cell.textContent.trim().toLowerCase();
    return cell.dataset.value ? Number(cell.dataset.value) : null;
  };

  const compare = (a, b) => (a > b) - (a < b);

  const sort = (lines, header, direction) => {
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = lines.map((line) => [value(line, header.cellIndex, header.dataset.sort), line]);
    keyed.sort(([a], [b]) => (a === null) - (b === null) || sign * compare(a, b));
    for (const other of header.parentElement.cells) other.setAttribute("aria-sort", other === header ? direction : "none");
    return keyed.map(([, line]) => line);
  };

  /**
   * Let the reader sort a table by a click on a header, and turn it round by another. `further` returns the rows that the
   * table does not show yet. Returns what shows all rows.
   */
  bakeoff.sortable = (table, further) => {
    const [body] = table.tBodies;
    let shown = body.rows.length;
    let lines = null;
    const every = () => (lines ??= [...body.rows, ...further()]);
    const show = () => body.replaceChildren(...every().slice(0, shown));
    for (const header of table.querySelectorAll("th[data-sort]")) {
      const click = () => {
        lines = sort(every(), header, TURNED[header.getAttribute("aria-sort")] ?? "ascending");
        show();
      };
      header.setAttribute("aria-sort", "none");
      header.replaceChildren(element("button", { type: "button", click }, header.textContent));
    }
    return () => {
      shown = Infinity;
      show();
    };
  };
})();
