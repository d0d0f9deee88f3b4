// Dragging a person onto a card asks them by name; the card's own form does the same by keyboard.
"use strict";
(() => {
  let carried = null;
  for (const person of document.querySelectorAll("[data-person][draggable]")) {
    person.addEventListener("dragstart", (event) => {
      carried = person.dataset.person;
      event.dataTransfer.setData("text/plain", carried);
      event.dataTransfer.effectAllowed = "link";
    });
    person.addEventListener("dragend", () => { carried = null; });
  }
  for (const card of document.querySelectorAll("[data-card]")) {
    const form = card.querySelector("form[data-assign]");
    if (!form) continue;
    card.addEventListener("dragover", (event) => { if (carried) { event.preventDefault(); card.classList.add("over"); } });
    card.addEventListener("dragleave", () => card.classList.remove("over"));
    card.addEventListener("drop", (event) => {
      event.preventDefault();
      card.classList.remove("over");
      form.elements.person.value = event.dataTransfer.getData("text/plain");
      if (form.elements.person.value) form.requestSubmit();
    });
  }
})();
