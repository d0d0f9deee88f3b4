// While one looks: what comes is told at once, without moving what is being read.
"use strict";
document.addEventListener("lianhu-message", () => {
  const news = document.querySelector("[data-news]");
  if (news) news.hidden = false;
});
