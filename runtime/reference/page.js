"use strict";
const search = document.getElementById("search");
const articles = [...document.querySelectorAll("article")].map((element) => ({
  element, name: element.dataset.name.toLowerCase(), text: element.textContent.toLowerCase(),
}));
const sections = [...document.querySelectorAll("section")];

function show() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const { element, name, text } of articles) {
    const fits = words.every((word) => name.includes(word) || text.includes(word));
    element.hidden = !fits;
    found += fits ? 1 : 0;
  }
  for (const section of sections) {
    section.hidden = words.length > 0 && !section.querySelector("article:not([hidden])");
  }
  document.getElementById("found").textContent = words.length ? `${found} found` : "";
}

search.addEventListener("input", show);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
});
// A search can be linked to, as #search=words.
search.value = decodeURIComponent((location.hash.match(/^#search=(.*)/) || ["", ""])[1]);
show();
