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

  const sort = (table, header, direction) => {
    const [body] = table.tBodies;
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = [...body.rows].map((line) => [value(line, header.cellIndex, header.dataset.sort), line]);
    keyed.sort(([a], [b]) => (a === null) - (b === null) || sign * compare(a, b));
    body.append(...keyed.map(([, line]) => line));
    for (const other of header.parentElement.cells) other.setAttribute("aria-sort", other === header ? direction : "none");
  };

  /** Let the reader sort a table by a click on a header, and turn it round by another. */
  bakeoff.sortable = (table) => {
    for (const header of table.querySelectorAll("th[data-sort]")) {
      const click = () => sort(table, header, TURNED[header.getAttribute("aria-sort")] ?? "ascending");
      header.setAttribute("aria-sort", "none");
      header.replaceChildren(element("button", { type: "button", click }, header.textContent));
    }
  };
})();
