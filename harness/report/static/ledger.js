// The filters above the ledger of claims: by verdict and by topic; what is chosen is in the address.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { element } = bakeoff;
  const VERDICT = "claims:verdict";
  const TOPIC = "claims:topic";
  const box = document.getElementById("ledger-controls");
  if (!box) return;

  const groups = [...document.querySelectorAll("section.ledger")];
  const rows = groups.flatMap((group) =>
    [...group.querySelectorAll("[data-verdict]")].map((line) => ({ line, group, verdict: line.dataset.verdict, topic: group.dataset.topic })),
  );
  const distinct = (name) => [...new Set(rows.map((row) => row[name]))];

  const select = (key, label, values) => {
    const made = element("select", { change: () => choose(key, made.value) });
    made.append(element("option", { value: "" }, "all"), ...values.map((value) => element("option", { value }, value)));
    return { key, made, box: element("label", {}, element("span", {}, label), made) };
  };
  const selects = [select(VERDICT, "Verdict", distinct("verdict"))];
  if (groups.length > 1) selects.push(select(TOPIC, "Topic", distinct("topic")));
  const told = element("p", { role: "status" });

  const choose = (key, value) => {
    bakeoff.hash.set({ [key]: value });
    show();
  };

  /** Show the claims that the address asks for. */
  const show = () => {
    const pairs = bakeoff.hash.read();
    for (const { key, made } of selects) {
      made.value = pairs.get(key) ?? "";
      if (made.selectedIndex < 0) made.value = "";
    }
    const chosen = Object.fromEntries(selects.map(({ key, made }) => [key, made.value]));
    const wanted = (row) => [[VERDICT, row.verdict], [TOPIC, row.topic]].every(([key, own]) => !chosen[key] || chosen[key] === own);
    for (const row of rows) row.line.hidden = !wanted(row);
    const kept = rows.filter(wanted);
    const filtered = Object.values(chosen).some(Boolean);
    for (const group of groups) group.hidden = filtered && !kept.some((row) => row.group === group);
    told.textContent = filtered ? `${kept.filter((row) => row.line.matches(".claim")).length} of ${rows.filter((row) => row.line.matches(".claim")).length} claims` : "";
  };

  /** Show everything, if an element is hidden by the filters. */
  const reveal = (target) => {
    if (!target.closest(".ledger [hidden], .ledger[hidden]")) return;
    bakeoff.hash.set({ [VERDICT]: null, [TOPIC]: null });
    show();
  };

  box.append(...selects.map((own) => own.box), told);
  window.addEventListener("popstate", show);
  show();
  bakeoff.ledger = { reveal };
})();
