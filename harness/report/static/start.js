// Runs before anything is drawn: says that scripts run, and sets the theme that the address names.
(() => {
  "use strict";

  const root = document.documentElement;
  root.classList.add("js");
  const named = /(?:^#|&)theme=(dark|light)(?:&|$)/.exec(location.hash);
  if (named) root.dataset.theme = named[1];
  window.bakeoff = {};
})();
