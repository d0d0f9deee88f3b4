// While one looks: what comes is told at once, without moving what is being read.
"use strict";
(() => {
  const place = document.querySelector("[data-live]");
  if (!place || !("EventSource" in window)) return;
  const stream = new EventSource(place.dataset.live);
  stream.addEventListener("message", () => { place.querySelector("[data-news]").hidden = false; });
  addEventListener("pagehide", () => stream.close());
})();
