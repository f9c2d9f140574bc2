// Draws the charts, puts times into the viewer's zone, and asks again while today is shown.
"use strict";
(() => {
  const REFRESH_MS = 15000;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const last = new WeakMap(); // panel -> the HTML that it shows
  const opened = new WeakMap(); // panel -> which of its details are open, by key

  const variable = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function config() {
    const muted = variable("--muted"), line = variable("--line"), text = variable("--text");
    return {
      background: "transparent",
      font: getComputedStyle(document.body).fontFamily,
      view: { stroke: null },
      text: { fontSize: 13 },
      axis: {
        labelColor: muted, titleColor: muted, titleFontWeight: "normal", labelFontSize: 12,
        titleFontSize: 12, domainColor: line, gridColor: line, ticks: false, labelPadding: 6,
      },
      axisX: { grid: false },
      axisY: { domain: false },
      legend: { labelColor: text, labelFontSize: 12, labelLimit: 240 },
    };
  }

  async function draw(element) {
    if (!window.vegaEmbed) return;
    const text = element.dataset.spec.replace(/var\((--[\w-]+)\)/g, (_, name) => variable(name));
    const spec = { ...JSON.parse(text), config: config() };
    const options = {
      actions: false, renderer: "svg", ast: true, defaultStyle: false,
      tooltip: { disableDefaultStyle: true },
    };
    await window.vegaEmbed(element, spec, options);
    element.querySelector("svg")?.setAttribute("aria-hidden", "true");
  }

  function localise(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const options = { dateStyle: "medium", timeStyle: time.dataset.kind === "hour" ? "short" : "medium" };
      time.textContent = new Date(time.dateTime).toLocaleString(undefined, options);
    }
  }

  function prepare(root) {
    localise(root);
    for (const chart of root.querySelectorAll(".chart[data-spec]")) draw(chart);
    const zone = document.getElementById("zone");
    if (zone) zone.textContent = `your zone, ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    const panel = event.detail.target;
    if (!panel.id?.startsWith("panel-")) return;
    if (last.get(panel) === event.detail.serverResponse) {
      event.detail.shouldSwap = false; // nothing new: leave what the reader looks at
      return;
    }
    last.set(panel, event.detail.serverResponse);
    const details = [...panel.querySelectorAll("details[data-key]")];
    opened.set(panel, Object.fromEntries(details.map((each) => [each.dataset.key, each.open])));
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const panel = event.detail.target;
    for (const [key, open] of Object.entries(opened.get(panel) ?? {})) {
      const details = panel.querySelector(`details[data-key="${key}"]`);
      if (details) details.open = open;
    }
    prepare(event.detail.elt.isConnected ? event.detail.elt : document);
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const offline = document.getElementById("offline");
    const answered = event.detail.xhr.status !== 0;
    if (offline) offline.hidden = answered;
    const at = answered && event.detail.xhr.getResponseHeader("X-As-Of");
    if (at) document.getElementById("as-of").textContent = new Date(at).toLocaleTimeString();
  });

  // Dates that are typed in count instead of the range.
  document.addEventListener("input", (event) => {
    if (["from", "to"].includes(event.target.name)) document.getElementById("days").value = "";
  });

  function refresh() {
    const main = document.getElementById("main");
    if (document.visibilityState !== "visible") return;
    // Past days do not change: of them only what failed is asked again.
    const which = main.dataset.live === "yes" ? "[id^=panel-]" : "[id^=panel-]:has(> .problem)";
    for (const panel of document.querySelectorAll(which)) htmx.trigger(panel, "refresh");
  }

  setInterval(refresh, REFRESH_MS);
  document.addEventListener("visibilitychange", refresh);
  dark.addEventListener("change", () => prepare(document));
  window.addEventListener("load", () => prepare(document)); // Vega is here now
})();
