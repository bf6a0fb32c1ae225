"use strict";
const search = document.getElementById("search");
const results = document.getElementById("results");
const all = document.getElementById("all");
const contents = document.getElementById("contents");
const MOST = 100;
const articles = [...document.querySelectorAll("article, section.chapter")].map((element) => ({
  id: element.id,
  name: element.dataset.name.toLowerCase(),
  title: (element.querySelector("pre.way, h3") || element).textContent,
  text: element.textContent.toLowerCase(),
}));

// 0 for the name itself, 1 for its beginning, 2 for a part of it, 3 for the text; nothing where `word` is not there.
function rank({ name, text }, word) {
  if (name === word) return 0;
  if (name.startsWith(word)) return 1;
  if (name.includes(word)) return 2;
  return text.includes(word) ? 3 : undefined;
}

function show() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length === 0 ? [] : articles
    .map((article) => ({ article, ranks: words.map((word) => rank(article, word)) }))
    .filter(({ ranks }) => !ranks.includes(undefined))
    .map(({ article, ranks }) => ({ article, rank: ranks.reduce((sum, one) => sum + one, 0) }))
    .sort((a, b) => a.rank - b.rank || a.article.name.length - b.article.name.length);
  results.replaceChildren(...found.slice(0, MOST).map(({ article }) => {
    const link = document.createElement("a");
    link.href = `#${article.id}`;
    link.textContent = article.title;
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
  results.hidden = words.length === 0;
  all.hidden = words.length > 0;
  document.getElementById("found").textContent = words.length ? `${found.length} found` : "";
}

search.addEventListener("input", show);
// Where a result leads is shown again.
window.addEventListener("hashchange", () => {
  if (location.hash.startsWith("#search=")) return;
  search.value = "";
  show();
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
});
contents.open = matchMedia("(min-width: 50rem)").matches;
// A search can be linked to, as #search=words.
search.value = decodeURIComponent((location.hash.match(/^#search=(.*)/) || ["", ""])[1]);
show();
