// Pages of held work stay readable without signal. Of what is not held any more nothing is kept.
"use strict";
const PAGES = "lianhu-tasks";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || !url.pathname.startsWith("/tasks")) return;
  if (url.pathname === "/tasks/worker.js") return;
  event.respondWith((async () => {
    const pages = await caches.open(PAGES);
    const key = url.pathname.startsWith("/tasks/static/") ? request.url : url.origin + url.pathname;
    try {
      const answer = await fetch(request);
      if (answer.ok && !answer.redirected) await pages.put(key, answer.clone());
      else if (request.mode === "navigate") await pages.delete(key);
      return answer;
    } catch (error) {
      const found = await pages.match(key) ?? (request.mode === "navigate" ? await pages.match(url.origin + "/tasks") : undefined);
      if (found) return found;
      throw error;
    }
  })());
});

// The list says what is held: details of all else go from the phone.
self.addEventListener("message", (event) => {
  const held = new Set(event.data?.held ?? []);
  event.waitUntil((async () => {
    const pages = await caches.open(PAGES);
    for (const request of await pages.keys()) {
      const parts = new URL(request.url).pathname.split("/");
      if (parts.length === 3 && /^[0-9a-f-]{36}$/.test(parts[2]) && !held.has(parts[2])) await pages.delete(request);
    }
    for (const id of held) {
      const address = `${location.origin}/tasks/${id}`;
      if (!(await pages.match(address))) {
        const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
        if (answer?.ok && !answer.redirected) await pages.put(address, answer);
      }
    }
  })());
});
