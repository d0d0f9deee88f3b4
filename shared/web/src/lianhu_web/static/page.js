// What a page does beyond what it says without this file: drafts kept on the device, questions before what cannot be
// undone, one sending a form, reading aloud, printing, keys. Every page works without it.
"use strict";
(() => {
  const say = (name) => document.querySelector(`[data-words="${name}"]`)?.textContent.trim() ?? "";

  // A form with data-draft keeps what was typed until it was taken; never codes, tokens or files.
  const kept = (form) => [...form.elements].filter(
    (field) => field.name && !["hidden", "file", "password", "submit", "button"].includes(field.type)
      && field.autocomplete !== "one-time-code");
  for (const form of document.querySelectorAll("form[data-draft]")) {
    const key = `lianhu-draft:${form.dataset.draft}`;
    const note = form.querySelector("[data-draft-note]");
    let given = null;
    try { given = JSON.parse(localStorage.getItem(key)); } catch { given = null; }
    const empty = kept(form).every((field) => field.type === "radio" || field.type === "checkbox"
      || field.tagName === "SELECT" || !field.value);
    if (given && empty && !form.querySelector(".fault")) {
      for (const field of kept(form)) {
        const value = given[field.name];
        if (value === undefined) continue;
        if (field.type === "radio" || field.type === "checkbox") field.checked = value.includes(field.value);
        else field.value = value[0] ?? "";
      }
      if (note) note.hidden = false;
    }
    form.addEventListener("input", () => {
      const values = {};
      for (const field of kept(form)) {
        const off = (field.type === "radio" || field.type === "checkbox") && !field.checked;
        (values[field.name] ??= []).push(...(off ? [] : [field.value]));
      }
      try { localStorage.setItem(key, JSON.stringify(values)); if (note) note.hidden = false; } catch { /* full or forbidden */ }
    });
    form.querySelector("[data-draft-forget]")?.addEventListener("click", () => {
      localStorage.removeItem(key); form.reset(); if (note) note.hidden = true;
    });
  }
  const taken = document.querySelector("[data-draft-done]");
  if (taken) try { localStorage.removeItem(`lianhu-draft:${taken.dataset.draftDone}`); } catch { /* nothing kept */ }

  // A question first, and each form once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.ask && !form.dataset.asked) {
      event.preventDefault();
      ask(form.dataset.ask, () => { form.dataset.asked = "yes"; form.requestSubmit(event.submitter ?? undefined); });
      return;
    }
    if (form.method === "post" && form.dataset.sent) { event.preventDefault(); return; }
    if (form.method === "post" && !form.hasAttribute("data-again")) form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => {
    for (const form of document.forms) { delete form.dataset.sent; delete form.dataset.asked; }
  });
  function ask(words, then) {
    const dialog = document.createElement("dialog");
    const text = document.createElement("p");
    text.textContent = words;
    const yes = document.createElement("button");
    const no = document.createElement("button");
    const chinese = document.documentElement.lang.startsWith("zh");
    yes.textContent = chinese ? "确定" : "Yes";
    no.textContent = chinese ? "取消" : "Cancel";
    yes.className = "button main";
    yes.addEventListener("click", () => { dialog.close(); then(); });
    no.addEventListener("click", () => dialog.close());
    const row = document.createElement("p");
    row.className = "actions";
    row.append(yes, no);
    dialog.append(text, row);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    no.focus();
  }

  // Reading aloud, by the browser's own voice.
  for (const button of document.querySelectorAll("[data-read]")) {
    if (!("speechSynthesis" in window)) { button.hidden = true; continue; }
    button.hidden = false;
    button.addEventListener("click", () => {
      const talking = speechSynthesis.speaking;
      speechSynthesis.cancel();
      if (talking) { button.setAttribute("aria-pressed", "false"); return; }
      const what = document.querySelector(button.dataset.read);
      const speech = new SpeechSynthesisUtterance(what.dataset.spoken || what.innerText);
      speech.lang = document.documentElement.lang;
      speech.rate = 0.9;
      speech.onend = () => button.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", "true");
      speechSynthesis.speak(speech);
    });
  }
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }

  // A letter with Alt goes to its place: data-key on links and buttons, said in aria-keyshortcuts.
  for (const each of document.querySelectorAll("[data-key]")) each.setAttribute("aria-keyshortcuts", `Alt+${each.dataset.key}`);
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const target = document.querySelector(`[data-key="${CSS.escape(event.key.toUpperCase())}"]`);
    if (!target) return;
    event.preventDefault();
    if (["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName)) target.focus(); else target.click();
  });

  // How much is unread, on every page, while it is looked at; what comes moves nothing that is being read.
  const bell = document.querySelector("[data-bell]");
  if (bell && "EventSource" in window) {
    let stream = null;
    const listen = () => {
      if (stream || document.hidden) return;
      stream = new EventSource(bell.dataset.bell);
      stream.addEventListener("unread", (event) => {
        const { unread } = JSON.parse(event.data);
        bell.hidden = unread === 0;
        bell.textContent = unread > 99 ? "99+" : String(unread);
        bell.setAttribute("aria-label", `${unread} ${bell.dataset.bellWords}`);
      });
      stream.addEventListener("message", () => {
        const news = document.querySelector("[data-news]");
        if (news) news.hidden = false;
      });
    };
    const rest = () => { stream?.close(); stream = null; };
    document.addEventListener("visibilitychange", () => { if (document.hidden) rest(); else listen(); });
    addEventListener("pagehide", rest);
    addEventListener("pageshow", listen);
    listen();
  }

  // A table as a chart, where the page brought ECharts; the table itself says everything.
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

  // Word of figures that have moved.
  const live = document.querySelector("[data-live]");
  if (live && "EventSource" in window) {
    const stream = new EventSource(live.dataset.live);
    stream.addEventListener("moved", () => { live.querySelector("[data-moved]").hidden = false; });
    addEventListener("pagehide", () => stream.close());
  }

  // What is wrong is where the reader begins.
  document.querySelector("[role=alert]")?.focus();
  const offline = () => document.body.classList.toggle("offline", !navigator.onLine);
  addEventListener("online", offline); addEventListener("offline", offline); offline();
})();
