// The table as a chart, and word of figures that have moved. The table itself says everything.
"use strict";
(() => {
  const table = document.querySelector("[data-figures]");
  const place = document.querySelector("[data-chart]");
  if (table && place && window.echarts) {
    const names = [...table.querySelectorAll("thead th")].slice(1, 4).map((cell) => cell.textContent.trim());
    const rows = [...table.querySelectorAll("tbody tr")].slice(0, 40);
    const style = getComputedStyle(document.documentElement);
    document.querySelector("[data-legend]").hidden = false;
    const chart = echarts.init(place, null, { renderer: "canvas" });
    chart.setOption({
      animation: false,
      color: ["--main", "--near", "--late"].map((name) => style.getPropertyValue(name).trim()),
      grid: { left: 48, right: 16, bottom: 64 },
      xAxis: { type: "category", data: rows.map((row) => row.querySelector("th").textContent.trim()), axisLabel: { rotate: 30 } },
      yAxis: { type: "value", minInterval: 1 },
      series: names.map((name, nth) => ({
        name, type: "bar", data: rows.map((row) => Number(row.querySelectorAll("td")[nth].textContent) || 0),
      })),
    });
    addEventListener("resize", () => chart.resize());
  } else if (place) place.hidden = true;

  const live = document.querySelector("[data-live]");
  if (live && "EventSource" in window) {
    const stream = new EventSource(live.dataset.live);
    stream.addEventListener("moved", () => { live.querySelector("[data-moved]").hidden = false; });
    addEventListener("pagehide", () => stream.close());
  }
})();
