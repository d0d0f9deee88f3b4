// Acts of volunteers: kept on the phone with their own times, sent in order, once, when there is signal.
"use strict";
(() => {
  const say = (name) => document.querySelector(`[data-words="${name}"]`)?.textContent.trim() ?? name;
  const chinese = document.documentElement.lang.startsWith("zh");
  const open = () => new Promise((done, failed) => {
    const asked = indexedDB.open("lianhu-acts", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("acts", { keyPath: "nth", autoIncrement: true });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const within = async (mode, work) => {
    const database = await open();
    return new Promise((done, failed) => {
      const transaction = database.transaction("acts", mode);
      const asked = work(transaction.objectStore("acts"));
      transaction.oncomplete = () => { database.close(); done(asked?.result); };
      transaction.onerror = () => failed(transaction.error);
    });
  };
  const kept = () => within("readonly", (store) => store.getAll());
  const keep = (act) => within("readwrite", (store) => store.add(act));
  const forget = (nth) => within("readwrite", (store) => store.delete(nth));

  const shown = async () => {
    const acts = await kept();
    const note = document.querySelector("[data-kept]");
    if (!note) return;
    note.hidden = acts.length === 0;
    note.querySelector("[data-kept-count]").textContent =
      `${acts.map((act) => say(act.act)).join(chinese ? "、" : ", ")}: ${say("kept")}`;
  };
  const refused = (act, detail) => {
    const place = document.querySelector("[data-refused]");
    const line = document.createElement("p");
    line.textContent = `${say("refused")} ${say(act.act)}. ${detail}`;
    place.append(line);
    place.hidden = false;
  };

  // One sender at a time, over all tabs: the order is the order in which things were done.
  let again = null;
  const send = async () => {
    const acts = (await kept()).slice(0, 100);
    if (acts.length === 0) return true;
    const token = document.querySelector("input[name=form_token]")?.value ?? acts[0].token;
    let answer;
    try {
      answer = await fetch("/tasks/acts", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Form-Token": token, Accept: "application/json" },
        body: JSON.stringify({
          sent_at: new Date().toISOString(),
          acts: acts.map(({ nth, token: _, ...act }) => act),
        }),
      });
    } catch { return false; }
    if (!answer.ok || answer.redirected) return false;
    const { items } = await answer.json();
    let all = true;
    for (const [place, item] of items.entries()) {
      if (item.outcome === "refused") { refused(acts[place], item.detail); all = false; }
      await forget(acts[place].nth);
    }
    return all ? "sent" : "told";
  };
  const flush = async (form) => {
    const result = navigator.locks ? await navigator.locks.request("lianhu-acts", send) : await send();
    await shown();
    clearTimeout(again);
    if (result === false) { again = setTimeout(() => flush(), 15000); return; }
    if (result === "sent") {
      const act = form?.dataset.act;
      const onward = form?.dataset.lost ? `/tasks/${form.dataset.assignment}` : !act || ["decline", "release", "complete"].includes(act) ? "/tasks" : `/tasks/${form.dataset.assignment}`;
      if (form) location.assign(act ? `${onward}?done=${form.dataset.lost ? "reported" : act}` : onward); else location.reload();
    }
  };

  // A form with a photo goes as it is, for photos are not kept here; what is wrong with it is said by the server.
  const sentWhole = async (form) => {
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", headers: { Accept: "text/html" }, body: new FormData(form) });
    } catch { return false; }
    if (answer.redirected) location.assign(answer.url); else form.submit();
    return true;
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.act || event.defaultPrevented || !("indexedDB" in window) || !crypto.randomUUID) return;
    event.preventDefault();
    const picked = Boolean(form.elements.photo?.files.length);
    if (picked && navigator.onLine && await sentWhole(form)) return;
    if (picked) {
      const line = document.createElement("p");
      line.textContent = say("photo");
      document.querySelector("[data-refused]").append(line);
      document.querySelector("[data-refused]").hidden = false;
      form.dataset.lost = "yes";
    }
    const fields = Object.fromEntries(new FormData(form));
    const act = { id: crypto.randomUUID(), act: form.dataset.act, assignment: form.dataset.assignment,
      at: new Date().toISOString(), token: fields.form_token };
    for (const name of ["reason", "place", "result"]) if (fields[name]) act[name] = fields[name];
    for (const name of ["minutes", "served_person_times"]) if (fields[name]) act[name] = Number(fields[name]);
    if ((act.act === "complete" && !act.result) || (act.act === "release" && !act.reason)) {
      form.submit(); // what is missing is said by the server, at its field
      return;
    }
    await keep(act);
    delete form.dataset.sent;
    await flush(form);
  });

  addEventListener("online", () => flush());
  shown().then(() => kept()).then((acts) => { if (acts.length) flush(); });
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("/tasks/worker.js", { scope: "/tasks" }).then((registration) => {
      const list = document.querySelector("[data-held]");
      if (list) navigator.serviceWorker.ready.then(() => registration.active?.postMessage({
        held: list.dataset.held.split(" ").filter(Boolean),
      }));
    }).catch(() => { /* pages work without it while there is signal */ });
  }
})();
