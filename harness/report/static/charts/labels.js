// Names written into a chart where they cover nothing; one that finds no room is left to the legend.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const HEIGHT = 14;
  const GAP = 9;
  // Beside a corner of a point, clear of the bars that leave it in four directions.
  const SLANT = 6;
  const LONGEST = 170;
  const STRIDE = 6;

  const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const around = ({ x, y }, half) => ({ left: x - half, right: x + half, top: y - half, bottom: y + half });

  const write = (box, item, x, y, anchor) => {
    const { svg } = bakeoff.look;
    const text = svg(
      "text",
      {
        x, y, "text-anchor": anchor, "dominant-baseline": "central", fill: "currentColor", stroke: "var(--page)",
        "stroke-width": 3, "stroke-linejoin": "round", "paint-order": "stroke", "font-weight": item.bold ? 600 : 400,
      },
      item.text,
    );
    if (item.title && item.title !== item.text) text.append(svg("title", {}, item.title));
    box.append(text);
  };

  const group = (drawn) => {
    const box = bakeoff.look.svg("g", { class: "labels" });
    drawn.insertBefore(box, drawn.querySelector(".tip"));
    return box;
  };

  const clipped = (item, limit) => ({
    ...item,
    text: bakeoff.look.clip(item.text, limit, item.bold),
    title: item.title ?? item.text,
  });

  /** Around a point, the best place first: what is written there, as [left, top, anchor]. */
  const places = ({ x, y }, wide) => [
    [x + SLANT, y - SLANT - HEIGHT, "start"],
    [x + SLANT, y + SLANT, "start"],
    [x - SLANT - wide, y - SLANT - HEIGHT, "end"],
    [x - SLANT - wide, y + SLANT, "end"],
    [x + GAP, y - HEIGHT / 2, "start"],
    [x - GAP - wide, y - HEIGHT / 2, "end"],
    [x - wide / 2, y - GAP - HEIGHT, "middle"],
    [x - wide / 2, y + GAP, "middle"],
    [x + SLANT, y - SLANT - 2 * HEIGHT, "start"],
    [x + SLANT, y + SLANT + HEIGHT, "start"],
    [x - SLANT - wide, y - SLANT - 2 * HEIGHT, "end"],
    [x - SLANT - wide, y + SLANT + HEIGHT, "end"],
  ];

  /** Write names of points, the first ones first, inside of `frame`, clear of some boxes; returns the boxes that they take. */
  const near = (drawn, items, frame, bars = []) => {
    const box = group(drawn);
    const written = [];
    const taken = [...items.map((item) => around(item, 6)), ...bars];
    for (const item of items.map((own) => clipped(own, own.longest ?? LONGEST))) {
      const wide = bakeoff.look.width(item.text, item.bold);
      const found = places(item, wide).find(([left, top]) => {
        const own = { left, right: left + wide, top, bottom: top + HEIGHT };
        const inside = left >= frame.left && own.right <= frame.right && top >= frame.top && own.bottom <= frame.bottom;
        return inside && !taken.some((other) => overlap(own, other));
      });
      if (!found) continue;
      const [left, top, anchor] = found;
      written.push({ left, right: left + wide, top, bottom: top + HEIGHT });
      taken.push(written.at(-1));
      write(box, item, left + { start: 0, middle: wide / 2, end: wide }[anchor], top + HEIGHT / 2, anchor);
    }
    return written;
  };

  /** Boxes along a line of [x, y] places, so that names stay clear of it. */
  const along = (line) =>
    line.slice(1).flatMap(([x, y], at) => {
      const [fromX, fromY] = line[at];
      const count = Math.max(1, Math.ceil(Math.hypot(x - fromX, y - fromY) / STRIDE));
      return Array.from({ length: count + 1 }, (_, part) =>
        around({ x: fromX + ((x - fromX) * part) / count, y: fromY + ((y - fromY) * part) / count }, STRIDE / 2),
      );
    });

  /** Write one name at the first of some places that has room; returns the boxes that it takes, one or none. */
  const at = (drawn, places, item, frame, bars) => {
    for (const [x, y] of places) {
      const written = near(drawn, [{ ...item, x, y }], frame, bars);
      if (written.length) return written;
    }
    return [];
  };

  /** Move places apart so that each has room, as near to where it was as its neighbours let it. */
  const spread = (places, low, high) => {
    const found = places.map((place) => Math.max(place, low));
    for (let at = 1; at < found.length; at += 1) found[at] = Math.max(found[at], found[at - 1] + HEIGHT);
    let last = high;
    for (let at = found.length - 1; at >= 0 && found[at] > last; at -= 1) {
      found[at] = last;
      last -= HEIGHT;
    }
    return found;
  };

  /** Write names at the ends of lines, in the right margin from `left` on, with a stroke to the end that each names. */
  const ends = (drawn, items, left, limit, [top, bottom]) => {
    const box = group(drawn);
    const sorted = [...items].sort((a, b) => a.y - b.y);
    const heights = spread(sorted.map((item) => item.y), top, bottom);
    sorted.forEach((item, at) => {
      const points = `M${item.x + 7},${item.y}L${left - 8},${heights[at]}L${left - 3},${heights[at]}`;
      box.append(bakeoff.look.svg("path", { d: points, fill: "none", stroke: item.colour, "stroke-opacity": 0.6 }));
      write(box, clipped(item, limit), left, heights[at], "start");
    });
  };

  bakeoff.labels = { near, ends, along, at };
})();
