// The data behind a figure: as tables in the page, and as a file.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { element } = bakeoff;

  const cell = (column, value, row, at) => {
    const text = value === null || value === undefined ? bakeoff.format.NONE : column.text(value, row, at);
    return at === 0 ? element("th", { scope: "row" }, text) : element("td", { class: typeof value === "string" ? "words" : null }, text);
  };

  const build = (title, { caption, columns, rows }) => {
    const told = caption || title;
    const head = element("tr", {}, columns.map((column) => element("th", { scope: "col" }, column.title)));
    const body = rows.map((row) => element("tr", {}, row.map((value, at) => cell(columns[at], value, row, at))));
    return element(
      "div",
      { class: "wide tall", tabindex: "0", role: "region", "aria-label": `Data: ${told}` },
      element("table", { class: "figures-table" }, element("caption", {}, told), element("thead", {}, head), element("tbody", {}, body)),
    );
  };

  /** Write the tables of a drawing, one below the other, with their figures as they are. */
  const file = (tables) =>
    tables
      .map(({ caption, columns, rows }) => bakeoff.csv([...(caption ? [[caption]] : []), columns.map((column) => column.title), ...rows]))
      .join("\r\n");

  bakeoff.datatable = { build, file };
})();
